import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';
import { request as requestTls } from 'node:https';
import type { ExecutionContext } from 'ava';
import { createParser } from 'eventsource-parser';

/** What a page's code gets of one frame. */
export interface Frame {
  id: string | undefined;
  /** The `event:` field; undefined: `message`. */
  event: string | undefined;
  data: Record<string, unknown>;
  /** The data as it came. */
  text: string;
}

export interface StreamOptions {
  headers?: Record<string, string>;
  /** Sent as `Last-Event-ID`. */
  lastEventId?: string;
  /** The authority that signed an https server's certificate. */
  ca?: string;
  /** Resolves without waiting for the connected frame. */
  early?: boolean;
}

/** Nothing is asserted on time: a machine that is busy takes its time. */
const SECONDS = 100;

/** An EventSource that a test looks into: all frames and comments, and the id that it would come back with. */
export class Stream {
  status = 0;
  headers: IncomingHttpHeaders = {};
  /** All that came, `connected` and `reset` included. */
  readonly frames: Frame[] = [];
  readonly comments: string[] = [];
  retry: number | undefined;
  /** The bytes as they came. */
  raw = '';
  /** Whether the server has ended the response. */
  ended = false;
  readonly #request: ClientRequest;
  #waiting: (() => void)[] = [];

  constructor(url: string, options: StreamOptions) {
    const parser = createParser({
      onEvent: ({ id, event, data }) => this.frames.push({ id, event, data: JSON.parse(data), text: data }),
      onComment: (comment) => this.comments.push(comment),
      onRetry: (milliseconds) => {
        this.retry = milliseconds;
      },
    });
    const headers: Record<string, string> = { accept: 'text/event-stream', ...options.headers };
    if (options.lastEventId !== undefined) headers['last-event-id'] = options.lastEventId;
    const send = url.startsWith('https:') ? requestTls : request;
    this.#request = send(url, { headers, agent: false, ca: options.ca }, (response) => {
      this.status = response.statusCode!;
      this.headers = response.headers;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        this.raw += chunk;
        if (this.headers['content-type']?.startsWith('text/event-stream')) parser.feed(chunk);
        this.#changed();
      });
      response.once('close', () => this.#end());
      response.on('error', () => {});
      this.#changed();
    });
    this.#request.on('error', () => this.#end());
    this.#request.end();
  }

  /** The frames that are events. */
  get events(): Frame[] {
    return this.frames.filter(({ id }) => id !== undefined && !id.startsWith('0-'));
  }

  get types(): unknown[] {
    return this.events.map(({ data }) => data.type);
  }

  /** The last `id:` of any frame: frames without data move it, too. */
  get lastEventId(): string {
    return [...this.raw.matchAll(/^id: (.*)\n(?=(?:.*\n)*?\n)/gm)].at(-1)?.[1] ?? '';
  }

  get resets(): Frame[] {
    return this.frames.filter(({ data }) => data.type === 'reset');
  }

  /** Waits until it is true. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + SECONDS * 1000;
    while (!condition()) {
      const left = end - performance.now();
      if (left <= 0) {
        const state = this.ended ? 'has ended' : 'is open';
        throw new Error(`Waited ${SECONDS} s in vain: ${what}. The stream ${state} and has: ${this.raw.slice(-1000)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Waits for an event of this type. */
  async event(type: string): Promise<Frame> {
    const find = () => this.frames.find(({ data }) => data.type === type);
    await this.until(`a frame of type ${type}`, () => find() !== undefined);
    return find()!;
  }

  /** Waits for so many events. */
  async count(events: number): Promise<Frame[]> {
    await this.until(`${events} events, there are ${this.events.length}`, () => this.events.length >= events);
    return this.events;
  }

  /** Waits until the server has ended the response. */
  end(): Promise<void> {
    return this.until('the end of the stream', () => this.ended);
  }

  /** Goes away. */
  close(): void {
    this.#request.destroy();
  }

  #end(): void {
    this.ended = true;
    this.#changed();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** What an instance answers whose question of a busy database or relay had no answer in time. A page asks again, and so does a test. */
const AGAIN = /The permissions for topics cannot be read|Permissions change too fast|The relay cannot be read yet/;

/** Opens a stream and waits until it is connected, or refused. */
export async function openStream(
  t: Pick<ExecutionContext, 'teardown'>,
  url: string,
  options: StreamOptions = {},
): Promise<Stream> {
  for (;;) {
    const stream = new Stream(url, options);
    t.teardown(() => stream.close());
    if (options.early) return stream;
    await stream.until('the connected frame', () => stream.frames.length > 0 || stream.ended);
    if (stream.status !== 503 || !AGAIN.test(stream.raw)) return stream;
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(stream.headers['retry-after'])));
  }
}
