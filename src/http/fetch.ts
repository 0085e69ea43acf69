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
  let connection: Connection;
  let ended = false;
  let written = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const once = (end: () => void) => {
          if (ended) return;
          ended = true;
          end();
        };
        connection = {
          write(chunk) {
            written += chunk.length;
            if (!ended) controller.enqueue(chunk);
            return (controller.desiredSize ?? 0) > 0;
          },
          get buffered() {
            return Math.max(0, HIGH_WATER_MARK - (controller.desiredSize ?? HIGH_WATER_MARK));
          },
          get progress() {
            return written - connection.buffered;
          },
          end: () => once(() => controller.close()),
          destroy: () => once(() => controller.error(new Error('the client did not keep up'))),
          onDrain: undefined,
        };
        client = start.begin(connection);
      },
      pull: () => connection.onDrain?.(),
      cancel() {
        ended = true;
        client.close('client');
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }),
  );
  request.signal?.addEventListener('abort', () => client.close('client'), { once: true });
  return new Response(body, { headers: start.headers });
}
