import { readFileSync } from 'node:fs';
import { request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from './random.js';

const client = readFileSync(new URL('../../dist/browser/djr.js', import.meta.url));

/** A page whose code counts what it gets; `take()` hands that out together with the id to go on from. */
const PAGE = `<!doctype html><html lang="en"><head><title>torture</title>
<script src="/djr.js" data-auto-connect="false" defer></script>
<script type="module">
  const query = new URLSearchParams(location.search);
  if (query.has('worker')) await navigator.serviceWorker.register('/worker.js');
  let got = [], resets = [];
  addEventListener('djr:note', ({ detail }) => got.push(detail.n));
  addEventListener('djr:reset', ({ detail }) => resets.push(detail.reason));
  const connection = djr.connect({
    endpoint: '/realtime/sse/?user=' + query.get('user') + '&topic=' + query.get('topic'),
    since: query.get('since') ?? undefined,
    lastEventId: query.get('lastEventId') ?? undefined,
    shareTabs: query.get('share') === '1',
  });
  window.take = () => {
    const taken = { got, resets, lastEventId: connection.lastEventId };
    got = [];
    resets = [];
    return taken;
  };
</script></head><body></body></html>`;

/** It passes all on; the requests that come of it lack the Last-Event-ID of a browser's own reconnect. */
const WORKER = `addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
addEventListener('activate', (event) => event.waitUntil(clients.claim()));`;

/** What stands between browsers and instances: one origin, each request to an instance at random, cut when asked to. */
export class Front {
  readonly #ports: () => number[];
  readonly #random: Random;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();

  constructor(ports: () => number[], random: Random) {
    this.#ports = ports;
    this.#random = random;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** localhost is a secure context, in which tabs can share. */
  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks one stream in two off, without a word. */
  cut(): void {
    for (const stream of this.#streams) if (this.#random.chance(0.5)) stream.destroy();
  }

  /** Swallows one stream in two from now on, and ends none, as a broken network does. */
  freeze(): void {
    for (const stream of this.#streams) if (this.#random.chance(0.5)) stream.emit('swallow');
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (pathname === '/page') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    } else if (pathname === '/djr.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(client);
    } else if (pathname === '/worker.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(WORKER);
    } else if (pathname === '/realtime/sse/') this.#pass(request, response);
    else response.writeHead(404).end();
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const ports = this.#ports();
    if (ports.length === 0) {
      response.writeHead(502).end();
      return;
    }
    const port = this.#random.pick(ports);
    const { headers, url } = request;
    const onward = ask({ host: '127.0.0.1', port, path: url, headers, agent: false }, (answer) => {
      answer.on('error', () => {});
      const end = () => response.destroy();
      answer.once('close', end);
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
      response.once('swallow', () => {
        answer.off('close', end);
        answer.unpipe(response);
        answer.resume();
      });
    });
    onward.on('error', () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
    this.#streams.add(response);
    response.once('close', () => {
      this.#streams.delete(response);
      onward.destroy();
    });
    onward.end();
  }
}
