import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { parseCookie } from 'cookie';
import type { ScriptTagOptions } from '../../../src/http/script-tag.js';
import { createRealtime, type Realtime, type RealtimeOptions } from '../../../src/index.js';

/** An app with djr in it: pages, and a login that is a name in the cookie `user`. */
export interface App {
  readonly origin: string;
  readonly realtime: Realtime;
  /** Requests for the stream since the app stands. */
  readonly streams: number;
  /** Streams that are open. */
  readonly open: number;
  /** What the newest stream was asked for. */
  readonly topics: string[];
  /** Serves a page with this in its head, behind the script tag of the runtime. */
  page(head: string, tag?: ScriptTagOptions): string;
  stop(): Promise<void>;
  /** Stands again at the same port, with the same pages. */
  start(): Promise<void>;
}

export async function startApp(t: ExecutionContext, options: RealtimeOptions): Promise<App> {
  const pages = new Map<string, [head: string, tag?: ScriptTagOptions]>();
  let http: Server;
  let realtime: Realtime;
  let port = 0;
  let streams = 0;
  let open = 0;
  let topics: string[] = [];

  const start = async () => {
    realtime = createRealtime({
      authenticate: (request) => parseCookie(request.headers.get('cookie') ?? '').user ?? null,
      ...options,
    });
    http = createServer((request, response) => {
      const page = pages.get(request.url!);
      if (page) {
        const [head, tag] = page;
        response.setHeader('content-type', 'text/html; charset=utf-8');
        return response.end(`<!doctype html><html lang="en"><head>${head}${realtime.scriptTag(tag)}</head></html>`);
      }
      if (request.url!.startsWith('/realtime/sse/')) {
        streams++;
        open++;
        topics = new URL(request.url!, 'http://localhost').searchParams.getAll('topic');
        response.once('close', () => open--);
      }
      realtime.handler(request, response);
    });
    await realtime.start();
    await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
    port = (http.address() as AddressInfo).port;
  };

  const stop = async () => {
    const closed = new Promise((resolve) => http.close(resolve));
    await realtime.stop();
    http.closeAllConnections();
    await closed;
  };

  await start();
  t.teardown(stop);
  return {
    origin: `http://localhost:${port}`,
    get realtime() {
      return realtime;
    },
    get streams() {
      return streams;
    },
    get topics() {
      return topics;
    },
    get open() {
      return open;
    },
    page(head, tag) {
      const path = `/page-${pages.size}`;
      pages.set(path, [head, tag]);
      return `http://localhost:${port}${path}`;
    },
    stop,
    start,
  };
}
