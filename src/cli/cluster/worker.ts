import cluster from 'node:cluster';
import type { IncomingMessage, RequestListener } from 'node:http';
import { originForm, toRequest } from '../../http/adapters/node-incoming.js';
import type { Realtime } from '../../realtime-interface.js';
import type { Lifetime } from '../lifetime.js';
import { isMessage, type Message } from './workers.js';

const send = (message: Message): void => {
  if (process.connected) process.send!(message, undefined, undefined, () => {});
};

/** A worker process of a command. The first process tells it when to end, and asks it for its metrics. */
export class WorkerProcess {
  readonly #realtime: Realtime;
  readonly #metricsPath: string;
  readonly #waiting = new Map<number, (text: string) => void>();
  #asked = 0;

  /** @param path - the base path, with a slash at its end */
  constructor(realtime: Realtime, path: string, lifetime: Lifetime) {
    this.#realtime = realtime;
    this.#metricsPath = `${path}metrics`;
    process.on('message', (message: unknown) => {
      if (!isMessage(message)) return;
      if (message.djr === 'stop') lifetime.end();
      else if (message.djr === 'ping') send({ djr: 'pong' });
      else if (message.djr === 'collect') void this.#collect(message.id);
      else if (message.djr === 'answer') this.#waiting.get(message.id)?.(message.text);
    });
  }

  ready(address: string): void {
    send({ djr: 'ready', address });
  }

  async #collect(id: number): Promise<void> {
    send({ djr: 'collected', id, text: await this.#realtime.metrics() });
  }

  /** The runtime's own answer to a request for metrics: 200 if the request may see them. */
  async #own(request: IncomingMessage): Promise<Response> {
    try {
      const { remoteAddress: address } = request.socket;
      return await this.#realtime.fetch(toRequest(request, originForm(request.url ?? '/'), false), { address });
    } catch {
      return new Response('Host and path of the request make no URL.', { status: 400 });
    }
  }

  /** The runtime's handler, except that metrics are those of all workers. */
  get handler(): RequestListener {
    return async (request, response) => {
      const path = originForm(request.url ?? '/')
        .split('?', 1)[0]!
        .replace(/\/$/, '');
      if (path !== this.#metricsPath || (request.method !== 'GET' && request.method !== 'HEAD')) {
        await this.#realtime.handler(request, response);
        return;
      }
      const own = await this.#own(request);
      if (own.status !== 200) {
        response.writeHead(own.status, Object.fromEntries(own.headers)).end(await own.text());
        return;
      }
      const id = ++this.#asked;
      this.#waiting.set(id, (text) => {
        this.#waiting.delete(id);
        response.writeHead(200, {
          'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
          'Cache-Control': 'no-store',
        });
        response.end(text);
      });
      response.once('close', () => this.#waiting.delete(id));
      send({ djr: 'ask', id });
    };
  }

  /** Closes the channel to the first process, which would keep this process alive. */
  leave(): void {
    cluster.worker?.disconnect();
  }
}
