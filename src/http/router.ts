import type { Logger } from '../lib/logger.js';
import { printable } from '../lib/printable.js';
import type { Endpoint, StreamStart } from './endpoint.js';
import type { Senders } from './guards/senders.js';
import type { Incoming } from './incoming.js';
import { problem, type Reply } from './reply.js';

export interface RouterOptions {
  basePath: string;
  logger: Logger;
  senders: Senders;
  endpoints: readonly Endpoint[];
}

/** Ends of paths by which a request for djr is recognized even if it is not below the base path: hardly any other path ends so. */
const TELLING = ['/sse', '/djr.js', '/djr.mjs', '/ack'];

/** A path below the base path: it leads to an endpoint, or to nothing. */
export interface Route {
  readonly endpoint: Endpoint | undefined;
}

/** Finds the endpoint that answers a request. */
export class Router {
  /** Determines who sent a request. */
  readonly senders: Senders;
  readonly #options: RouterOptions;
  #saidMissed = false;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.senders = options.senders;
  }

  /** @returns undefined if the path is not below the base path */
  route(target: string): Route | undefined {
    const { basePath, endpoints } = this.#options;
    const pathname = target.split('?', 1)[0]!;
    if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return undefined;
    const rest = pathname.slice(basePath.length + 1).replace(/\/$/, '');
    const has = ({ path }: Endpoint) =>
      path.endsWith('/*') ? `${rest}/`.startsWith(path.slice(0, -1)) : rest === path;
    return { endpoint: endpoints.find(has) };
  }

  async respond({ endpoint }: Route, incoming: Incoming): Promise<Reply | StreamStart> {
    if (!endpoint) return problem(404, `There is nothing here. The stream is at ${this.#options.basePath}/sse/.`);
    const { methods } = endpoint;
    if (methods === 'any' || methods.includes(incoming.method)) return endpoint.respond(incoming);
    return problem(405, `The method must be ${methods.join(' or ')}.`, { Allow: methods.join(', ') });
  }

  /** Called for a request that is not below the base path. If it is meant for djr, logs once that the handler is mounted at another path than `basePath`. */
  missed(target: string): void {
    if (this.#saidMissed) return;
    const pathname = target.split('?', 1)[0]!;
    const path = pathname.replace(/\/$/, '');
    const end = TELLING.find((telling) => path.endsWith(telling));
    if (end === undefined) return;
    this.#saidMissed = true;
    const { basePath, logger } = this.#options;
    logger.warn(
      { path: printable(pathname.slice(0, 200)), basePath: basePath || '/' },
      `a request for djr is not below basePath: if the handler is mounted there, set the option basePath to ${printable(path.slice(0, -end.length)) || '/'}`,
    );
  }
}
