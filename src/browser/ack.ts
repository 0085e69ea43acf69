import type { Detail } from '../event/event.js';
import type { AckStatus, ConnectOptions } from './types.js';

/** The stream that an event came from: it is acknowledged at the address beside that stream, with the stream's token and cookies. */
export interface Source {
  readonly endpoint: string;
  readonly options: Pick<ConnectOptions, 'token' | 'withCredentials'>;
}

interface Waiting {
  id: number;
  status: AckStatus;
  resolve(own: boolean): void;
  reject(error: unknown): void;
}

/** Acknowledgements in one request; the server accepts no more. */
const MOST = 100;

const origins = new WeakMap<Detail, { id: number; source: Source }>();
const queues = new WeakMap<Source, Waiting[]>();

/** Keeps the number of an event beside its detail, because a detail is fired exactly as it was published. */
export const remember = (detail: Detail, id: number, source: Source) => origins.set(detail, { id, source });

export const originOf = (detail: Detail) => origins.get(detail);

/** Acknowledges an event. All that come while a request is under way are sent in the next one. @returns whether it is an event of this user */
export function acknowledge(source: Source, id: number, status: AckStatus): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let queue = queues.get(source);
    if (!queue) {
      queue = [];
      queues.set(source, queue);
      void drain(source, queue);
    }
    queue.push({ id, status, resolve, reject });
  });
}

async function drain(source: Source, queue: Waiting[]): Promise<void> {
  // Events that the page acknowledges in the same turn of its code are sent in one request.
  await Promise.resolve();
  while (queue.length > 0) {
    const batch = queue.splice(0, MOST);
    try {
      const own = await send(source, batch);
      for (const { id, resolve } of batch) resolve(own.has(id));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
  queues.delete(source);
}

async function send({ endpoint, options }: Source, batch: Waiting[]): Promise<Set<number>> {
  const stream = new URL(endpoint);
  const url = new URL('../ack/', stream.origin + stream.pathname.replace(/\/?$/, '/'));
  url.search = stream.search;
  const token = typeof options.token === 'function' ? await options.token() : options.token;
  if (token) url.searchParams.set('token', token);
  const response = await fetch(url, {
    method: 'POST',
    // With keepalive it arrives even if the page is left right after this.
    keepalive: true,
    credentials: options.withCredentials ? 'include' : 'same-origin',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ acks: batch.map(({ id, status }) => ({ id, status })) }),
  });
  if (response.status === 404) return new Set();
  if (!response.ok) throw new Error(`The acknowledgement was refused with status ${response.status}.`);
  return new Set((await response.json()).acknowledged);
}
