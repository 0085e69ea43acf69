import cluster from 'node:cluster';
import type { RequestListener } from 'node:http';
import type { Realtime } from '../realtime-interface.js';
import type { Lifetime } from './lifetime.js';
import { isMessage, type Message } from './workers.js';

const send = (message: Message): void => {
  if (process.connected) process.send!(message, undefined, undefined, () => {});
};

/** One of several processes of a command, as it sees the first: told when to end, and asked for its metrics. */
export class WorkerProcess {
  readonly #realtime: Realtime;
  readonly #metricsUrl: string;
  readonly #waiting = new Map<number, (text: string) => void>();
  #asked = 0;

  /** @param path - the base path, with a slash at its end */
  constructor(realtime: Realtime, path: string, lifetime: Lifetime) {
    this.#realtime = realtime;
    this.#metricsUrl = `http://localhost${path}metrics`;
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
    const response = await this.#realtime.fetch(new Request(this.#metricsUrl));
    send({ djr: 'collected', id, text: await response.text() });
  }

  /** The runtime's handler, but for metrics, which are of all workers. */
  get handler(): RequestListener {
    const own = new URL(this.#metricsUrl).pathname;
    return (request, response) => {
      const path = (request.url ?? '').split('?', 1)[0]!.replace(/\/$/, '');
      if (path !== own || (request.method !== 'GET' && request.method !== 'HEAD')) {
        this.#realtime.handler(request, response);
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

  /** Lets the process end: the channel to the first would keep it. */
  leave(): void {
    cluster.worker?.disconnect();
  }
}
