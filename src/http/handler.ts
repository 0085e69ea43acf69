import type { Logger } from '../logger.js';
import type { HealthAccess } from '../options.js';
import { printable } from '../printable.js';
import type { Acknowledgements } from './acknowledgements.js';
import type { Admin } from './admin/admin.js';
import { assetReply } from './assets.js';
import { ask, type GuardOptions } from './guard.js';
import type { Health } from './health.js';
import type { Incoming } from './incoming.js';
import type { Metrics } from './metrics.js';
import { problem, type Reply } from './reply.js';
import { misplaced, type Route, route } from './route.js';
import type { Senders } from './senders.js';
import type { StreamStart, Streams } from './stream.js';

export interface HandlerOptions {
  basePath: string;
  logger: Logger;
  /** Milliseconds. */
  hookTimeout: number;
  senders: Senders;
  /** Who may see the metrics; undefined: everyone. */
  mayReadMetrics: GuardOptions['authorize'] | undefined;
  /** Who may see what of the health. */
  healthAccess: HealthAccess;
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
  #saidMissed = false;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  owns(target: string): Route | undefined {
    return route(this.#options.basePath, target.split('?', 1)[0]!);
  }

  /** Who sends requests. */
  get senders(): Senders {
    return this.#options.senders;
  }

  /** Says once that a request for one of our routes came by another path: mounted there, the handler does nothing at all. */
  missed(target: string): void {
    const { basePath, logger } = this.#options;
    const mounted = this.#saidMissed ? undefined : misplaced(target.split('?', 1)[0]!);
    if (mounted === undefined) return;
    this.#saidMissed = true;
    logger.warn(
      { path: printable(target.split('?', 1)[0]!.slice(0, 200)), basePath: basePath || '/' },
      `a request for djr is not below basePath: if the handler is mounted there, set the option basePath to ${printable(mounted) || '/'}`,
    );
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
    if (route === 'health') return this.#health(incoming);
    if (route === 'metrics') return this.#metrics(incoming);
    return assetReply(route === 'script' ? 'browser/djr.js' : 'browser/djr.mjs', incoming.header('if-none-match'));
  }

  async #metrics(incoming: Incoming): Promise<Reply> {
    const { mayReadMetrics, metrics } = this.#options;
    if (!mayReadMetrics) return metrics.reply();
    const answer = await ask(incoming, { ...this.#options, authorize: mayReadMetrics, name: 'metrics.authorize' });
    if (answer === 'unreadable') return problem(400, 'Host and path of the request make no URL.');
    if (typeof answer === 'object') return answer;
    return answer ? metrics.reply() : problem(403, 'The metrics are for those who run this app.');
  }

  /** Every degree has the status: a load balancer reads nothing else. */
  async #health(incoming: Incoming): Promise<Reply> {
    const { healthAccess } = this.#options;
    if (healthAccess === 'off') return problem(404, 'There is nothing here.');
    const { ok, queueUsage, ...rest } = this.#options.health();
    let all = healthAccess === 'public';
    if (typeof healthAccess === 'object') {
      const { authorize } = healthAccess;
      all = (await ask(incoming, { ...this.#options, authorize, name: 'health.authorize' })) === true;
    }
    const status = ok ? (rest.warnings.length > 0 ? 'degraded' : 'ok') : 'failing';
    return {
      status: ok ? 200 : 503,
      headers: {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
        'Cross-Origin-Resource-Policy': 'same-origin',
      },
      body: JSON.stringify({ status, ...(all && { ...rest, queue_usage: queueUsage }) }),
    };
  }
}
