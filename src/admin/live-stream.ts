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

/** Viewers that one instance may have, as each event is written for each of them. */
const MAX_VIEWERS = 20;

/** Bytes that may wait for one viewer. With more, events are left out, and the viewer is told how many. */
const MAX_BYTES = 256 * 1024;

/** Milliseconds between two heartbeats, and milliseconds after which a browser must reconnect and be authorised again. */
const HEARTBEAT = 10_000;
const LIFETIME = 300_000;

/** Milliseconds in which a viewer may read the rest after its stream has ended. */
const END_GRACE = 500;

/** The streams of the live view. Each has a subscriber and a bounded buffer. Events have no private data here. */
export class LiveStreams {
  readonly #hooks: Hooks;
  readonly #open = new Set<() => void>();
  #stopped = false;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Opens a stream. @returns it, or the reply that says why there is none */
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
    // There is no blank line before the first event, as some readers take a frame without data for an empty message.
    write('retry: 2000\n: watching\n');
    return end;
  }

  /** Ends all streams. No stream is opened after that. */
  stop(): void {
    this.#stopped = true;
    for (const end of [...this.#open]) end();
  }
}

const frame = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** Characters of a detail in a row; the event's own page shows all of it. */
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
