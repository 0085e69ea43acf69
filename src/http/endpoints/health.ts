import type { HealthAccess } from '../../realtime-options.js';
import type { Health } from '../../telemetry/health.js';
import { type Endpoint, READ } from '../endpoint.js';
import { ask, type GuardOptions } from '../guards/guard.js';
import type { Incoming } from '../incoming.js';
import { PERSONAL_HEADERS, problem, type Reply } from '../reply.js';

export interface HealthEndpointOptions extends Pick<GuardOptions, 'hookTimeout' | 'logger'> {
  /** Who may see what. The HTTP status is the same for everyone, as a load balancer reads nothing else. */
  access: HealthAccess;
  health(): Health;
}

export class HealthEndpoint implements Endpoint {
  readonly path = 'healthz';
  readonly methods = READ;
  readonly #options: HealthEndpointOptions;

  constructor(options: HealthEndpointOptions) {
    this.#options = options;
  }

  async respond(incoming: Incoming): Promise<Reply> {
    const { access } = this.#options;
    if (access === 'off') return problem(404, 'There is nothing here.');
    const { ok, queueUsage, ...rest } = this.#options.health();
    const status = ok ? (rest.warnings.length > 0 ? 'degraded' : 'ok') : 'failing';
    const details = (await this.#mayReadAll(incoming)) && { ...rest, queue_usage: queueUsage };
    return {
      status: ok ? 200 : 503,
      headers: { 'Content-Type': 'application/json', ...PERSONAL_HEADERS, 'Cache-Control': 'no-store' },
      body: JSON.stringify({ status, ...details }),
    };
  }

  async #mayReadAll(incoming: Incoming): Promise<boolean> {
    const { access } = this.#options;
    if (typeof access !== 'object') return access === 'public';
    return (await ask(incoming, { ...this.#options, authorize: access.authorize, name: 'health.authorize' })) === true;
  }
}
