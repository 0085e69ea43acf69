import type { Connection } from '../../delivery/connection.js';
import type { Hooks } from '../../delivery/hooks.js';
import type { Event } from '../../event.js';
import { printable } from '../../printable.js';
import type { StreamStart } from '../stream.js';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** Viewers of one instance: each costs every event a line. */
const MAX_VIEWERS = 20;

/** Bytes that may wait for one viewer; beyond it events are left out, and it is told how many. */
const MAX_BYTES = 256 * 1024;

/** Milliseconds: between two signs of life, and until the browser has to come again and be authorised anew. */
const HEARTBEAT = 10_000;
const LIFETIME = 300_000;

/** The live view's streams: a subscriber each, with a bounded buffer behind it. Private data is in no event. */
export class LiveStreams {
  readonly #hooks: Hooks;
  readonly #open = new Set<() => void>();

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** @returns undefined when there are too many viewers */
  open(): StreamStart | undefined {
    if (this.#open.size >= MAX_VIEWERS) return undefined;
    let end: (() => void) | undefined;
    const place = () => end?.();
    this.#open.add(place);
    return {
      headers: HEADERS,
      begin: (connection) => {
        end = this.#begin(connection, () => this.#open.delete(place));
        return { close: end };
      },
      abandon: () => this.#open.delete(place),
    };
  }

  #begin(connection: Connection, onEnd: () => void): () => void {
    let leftOut = 0;
    const write = (text: string) => connection.write(Buffer.from(text));
    const unsubscribe = this.#hooks.subscribe(null, (event) => {
      if (connection.buffered > MAX_BYTES) {
        leftOut += 1;
        return;
      }
      if (leftOut > 0) write(frame('left-out', leftOut));
      leftOut = 0;
      write(frame('event', lineOf(event)));
    });
    const heartbeat = setInterval(() => connection.buffered <= MAX_BYTES && write(': heartbeat\n\n'), HEARTBEAT);
    const end = () => {
      clearInterval(heartbeat);
      clearTimeout(lifetime);
      unsubscribe();
      onEnd();
      connection.end();
    };
    const lifetime = setTimeout(end, LIFETIME);
    write('retry: 2000\n\n: watching\n\n');
    return end;
  }

  stop(): void {
    for (const end of [...this.#open]) end();
  }
}

const frame = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const lineOf = ({ id, type, scope, userId, topic, detail, createdAt }: Event) => ({
  id,
  type: printable(type),
  scope,
  user: userId === null ? null : printable(userId),
  detail: printable(JSON.stringify(detail)),
  createdAt: createdAt.toISOString(),
  topic: topic === null ? null : printable(topic),
});
