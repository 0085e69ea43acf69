import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { until } from './chromium.js';

const asset = (path: string) => readFileSync(new URL(`../../../dist/${path}`, import.meta.url));

/** One open stream, as the server sees it. */
export interface Client {
  /** The value of the cookie `user`. */
  readonly user: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  send(data: object | string, id?: string): void;
  /** Cuts the connection: the browser comes back by itself. */
  cut(): void;
}

/** A server whose every frame the test decides: for what a real one does only when something is broken. */
export interface StreamServer {
  readonly origin: string;
  /** Open streams, oldest first. */
  readonly clients: Client[];
  /** Query of every request for the stream, refused ones too. */
  readonly requests: URLSearchParams[];
  /** The same of every request that only asked for the status. */
  readonly probes: URLSearchParams[];
  /** Refuses streams with this status until it is undefined again. */
  refusal: number | undefined;
  /** Frames of a stream's beginning; unless it is replaced, `connected` with the user's key, and a resume's end. */
  greeting: (client: Client) => void;
  /** Serves a page with this in its head, at the path that it returns. */
  page(head: string): string;
  /** To all clients. */
  send(data: object | string, id?: string): void;
  connected(count: number): Promise<void>;
}

export const scriptTag = (attributes = '') => `<script src="/realtime/djr.js" ${attributes} defer></script>`;

export async function startStreamServer(t: ExecutionContext): Promise<StreamServer> {
  const pages = new Map<string, string>();
  const clients: Client[] = [];

  const stream = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => {
    const probe = query.has('probe');
    (probe ? server.probes : server.requests).push(query);
    if (server.refusal || probe) return response.writeHead(server.refusal ?? 204).end();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.write('retry: 50\n\n');
    const client: Client = {
      user: /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'nobody',
      query,
      headers: request.headers,
      send: (data, id) => {
        const text = typeof data === 'string' ? data : JSON.stringify(data);
        response.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`);
      },
      cut: () => response.destroy(),
    };
    response.once('close', () => clients.splice(clients.indexOf(client), 1));
    clients.push(client);
    server.greeting(client);
  };

  const http = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
    if (pathname === '/realtime/sse/') return stream(request, response, searchParams);
    const script = /^\/(?:realtime\/(djr\.m?js)|(htmx\.min\.js))$/.exec(pathname);
    if (script) {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      return response.end(asset(script[1] ? `browser/${script[1]}` : `assets/${script[2]}`));
    }
    const html = pages.get(pathname);
    response.writeHead(html === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(html);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    http.closeAllConnections();
    http.close();
  });

  const server: StreamServer = {
    origin: `http://localhost:${(http.address() as AddressInfo).port}`,
    clients,
    requests: [],
    probes: [],
    refusal: undefined,
    greeting: (client) => {
      const from = client.query.get('lastEventId');
      const resuming = from !== null || client.query.has('since');
      client.send(
        { type: 'connected', key: client.user, ...(resuming && { resuming }) },
        from?.replace(/^\d+/, '0') ?? '0-start',
      );
      if (resuming) client.send({ type: 'connected', key: client.user });
    },
    page(head) {
      const path = `/page-${pages.size}`;
      pages.set(path, `<!doctype html><html lang="en"><head><title>${path}</title>${head}</head><body></body></html>`);
      return `${server.origin}${path}`;
    },
    send: (data, id) => {
      for (const client of [...clients]) client.send(data, id);
    },
    connected: (count) => until(`${count} open streams, there are ${clients.length}`, () => clients.length === count),
  };
  return server;
}
