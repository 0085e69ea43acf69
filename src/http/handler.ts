import type { Acknowledgements } from './acknowledgements.js';
import type { Admin } from './admin/admin.js';
import { assetReply } from './assets.js';
import type { Health } from './health.js';
import type { Incoming } from './incoming.js';
import type { Metrics } from './metrics.js';
import { problem, type Reply } from './reply.js';
import { type Route, route } from './route.js';
import type { StreamStart, Streams } from './stream.js';

export interface HandlerOptions {
  basePath: string;
  streams: Streams;
  acknowledgements: Acknowledgements;
  metrics: Metrics;
  /** Undefined: not configured. */
  admin: Admin | undefined;
  health(): Health;
}

/** From a request to a reply or a stream; undefined when the path is not below the base path. */
export class Handler {
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  owns(target: string): Route | undefined {
    return route(this.#options.basePath, target.split('?', 1)[0]!);
  }

  async respond(route: Route, incoming: Incoming): Promise<Reply | StreamStart> {
    if (route === 'stream') return this.#options.streams.open(incoming);
    if (route === 'admin' && this.#options.admin) return this.#options.admin.respond(incoming);
    if (route === 'ack') return this.#options.acknowledgements.respond(incoming);
    if (route === 'admin' || route === 'unknown') {
      return problem(404, `There is nothing here. The stream is at ${this.#options.basePath}/sse/.`);
    }
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') {
      return problem(405, 'This is read with GET or HEAD.', { Allow: 'GET, HEAD' });
    }
    if (route === 'health') return this.#health();
    if (route === 'metrics') return this.#options.metrics.reply();
    return assetReply(route === 'script' ? 'browser/djr.js' : 'browser/djr.mjs', incoming.header('if-none-match'));
  }

  #health(): Reply {
    const { ok, queueUsage, ...rest } = this.#options.health();
    const status = ok ? (rest.warnings.length > 0 ? 'degraded' : 'ok') : 'failing';
    return {
      status: ok ? 200 : 503,
      headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
      body: JSON.stringify({ status, ...rest, queue_usage: queueUsage }),
    };
  }
}
