import type { Connection } from '../delivery/connection.js';
import { readText } from './body.js';
import type { Handler } from './handler.js';
import type { Incoming } from './incoming.js';
import { problem } from './reply.js';
import type { StreamStart } from './stream.js';

/** `(Request) => Promise<Response>`: for Hono, Next, Bun, Deno and whatever else is built on Fetch. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** Bytes that the stream takes before it says that it is full. */
const HIGH_WATER_MARK = 16 * 1024;

export function fetchHandler(handler: Handler): FetchHandler {
  return async (request) => {
    const url = new URL(request.url);
    const target = url.pathname + url.search;
    const route = handler.owns(target);
    const answer =
      route === undefined
        ? problem(404, 'There is nothing here.')
        : await handler.respond(route, toIncoming(request, target, url.host));
    if (!('status' in answer)) return stream(request, answer);
    const body =
      request.method === 'HEAD' || [204, 304].includes(answer.status) ? null : new Uint8Array(Buffer.from(answer.body));
    const headers = new Headers(answer.headers);
    for (const cookie of answer.cookies ?? []) headers.append('Set-Cookie', cookie);
    return new Response(body, { status: answer.status, headers });
  };
}

function toIncoming(request: Request, target: string, host: string): Incoming {
  return {
    method: request.method,
    target,
    address: undefined,
    header: (name) => request.headers.get(name) ?? (name === 'host' ? host : undefined),
    request: () => request,
    async body(limit) {
      if (request.bodyUsed) return 'taken';
      return request.body ? readText(request.body as AsyncIterable<Uint8Array>, limit) : { text: '' };
    },
  };
}

function stream(request: Request, start: StreamStart): Response {
  if (request.signal?.aborted) {
    start.abandon();
    // Nobody reads it; the number is what proxies log for a client that has gone.
    return new Response(null, { status: 499 });
  }
  let client: ReturnType<StreamStart['begin']>;
  let connection: FetchConnection;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        connection = new FetchConnection(controller);
        client = start.begin(connection);
      },
      pull: () => connection.onDrain?.(),
      cancel() {
        connection.ended = true;
        client.close('client');
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }),
  );
  request.signal?.addEventListener('abort', () => client.close('client'), { once: true });
  return new Response(body, { headers: start.headers });
}

class FetchConnection implements Connection {
  onDrain: (() => void) | undefined = undefined;
  /** By whichever side. */
  ended = false;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  #written = 0;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller;
  }

  write(chunk: Buffer): boolean {
    this.#written += chunk.length;
    if (!this.ended) this.#controller.enqueue(chunk);
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  get buffered(): number {
    return Math.max(0, HIGH_WATER_MARK - (this.#controller.desiredSize ?? HIGH_WATER_MARK));
  }

  get progress(): number {
    return this.#written - this.buffered;
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#controller.close();
  }

  destroy(): void {
    if (this.ended) return;
    this.ended = true;
    this.#controller.error(new Error('the client did not keep up'));
  }
}
