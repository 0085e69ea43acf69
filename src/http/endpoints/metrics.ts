import { type Endpoint, READ } from '../endpoint.js';
import { ask, type GuardOptions } from '../guards/guard.js';
import type { Incoming } from '../incoming.js';
import { PERSONAL_HEADERS, problem, type Reply } from '../reply.js';

export interface MetricsEndpointOptions extends Pick<GuardOptions, 'hookTimeout' | 'logger'> {
  /** Decides who may read the metrics; undefined: everyone may. */
  authorize: GuardOptions['authorize'] | undefined;
  /** Returns the metrics in Prometheus' text format. */
  registry: { read(): Promise<{ text: string; contentType: string }> };
}

export class MetricsEndpoint implements Endpoint {
  readonly path = 'metrics';
  readonly methods = READ;
  readonly #options: MetricsEndpointOptions;

  constructor(options: MetricsEndpointOptions) {
    this.#options = options;
  }

  async respond(incoming: Incoming): Promise<Reply> {
    const { authorize } = this.#options;
    if (!authorize) return this.#metrics();
    const answer = await ask(incoming, { ...this.#options, authorize, name: 'metrics.authorize' });
    if (answer === 'unreadable') return problem(400, 'Host and path of the request make no URL.');
    if (typeof answer === 'object') return answer;
    return answer ? this.#metrics() : problem(403, 'The metrics are for those who run this app.');
  }

  async #metrics(): Promise<Reply> {
    const { contentType, text } = await this.#options.registry.read();
    const headers = { 'Content-Type': contentType, ...PERSONAL_HEADERS, 'Cache-Control': 'no-store' };
    return { status: 200, headers, body: text };
  }
}
