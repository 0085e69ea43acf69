import type { Connection } from '../clients/connection.js';
import type { Event } from '../event/event.js';
import type { StreamStart } from '../http/endpoint.js';
import { PERSONAL_HEADERS, problem, type Reply } from '../http/reply.js';
import { printable } from '../lib/printable.js';
import type { Hooks } from '../stream/hooks.js';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  ...PERSONAL_HEADERS,
  'Cache-Control': 'private, no-store, no-transform',
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

/** Milliseconds that a viewer may take for what is left when its stream has ended. */
const END_GRACE = 500;

/** The live view's streams: a subscriber each, with a bounded buffer behind it. Private data is in no event. */
export class LiveStreams {
  readonly #hooks: Hooks;
  readonly #open = new Set<() => void>();
  #stopped = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** A stream, or why there is none. */
  open(): Reply | StreamStart {
    if (this.#stopped) return problem(503, 'This instance is shutting down.', { 'Retry-After': '1' });
    if (this.#open.size >= MAX_VIEWERS) return problem(503, 'Too many watch already.', { 'Retry-After': '10' });
    let end: (() => void) | undefined;
    const place = () => end?.();
    this.#open.add(place);
    return {
      headers: HEADERS,
      begin: (connection) => {
        end = this.#begin(connection, () => this.#open.delete(place));
      },
      gone: () => {
        end?.();
        this.#open.delete(place);
      },
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
    const heartbeat = setInterval(() => connection.buffered <= MAX_BYTES && write(': heartbeat\n'), HEARTBEAT);
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      clearInterval(heartbeat);
      clearTimeout(lifetime);
      unsubscribe();
      onEnd();
      connection.end(END_GRACE);
    };
    const lifetime = setTimeout(end, LIFETIME);
    // No blank line before the first event: some readers take a frame without data for an empty message.
    write('retry: 2000\n: watching\n');
    return end;
  }

  /** Ends all, and opens none any more. */
  stop(): void {
    this.#stopped = true;
    for (const end of [...this.#open]) end();
  }
}

const frame = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** Characters of a detail that a line shows: the event's page has the whole of a large one. */
const MAX_DETAIL = 8000;

const cut = (text: string): string => (text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}…` : text);

const lineOf = ({ id, type, scope, userId, topic, detail, createdAt }: Event) => ({
  id,
  type: printable(type),
  scope,
  user: userId === null ? null : printable(userId),
  detail: printable(cut(JSON.stringify(detail))),
  createdAt: createdAt.toISOString(),
  topic: topic === null ? null : printable(topic),
});
