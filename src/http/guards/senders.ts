import type { Logger } from '../../lib/logger.js';
import { printable } from '../../lib/printable.js';
import { SparseLog } from '../../lib/sparse-log.js';
import type { ClientAddress } from '../../realtime-options.js';
import type { RequestContext } from '../incoming.js';
import { TrustedProxies } from './trusted-proxies.js';

export interface SendersOptions {
  trustProxy: readonly string[];
  clientAddress?: ClientAddress | undefined;
  maxConnectionsPerAddress: number;
  logger: Logger;
}

/** The parts of a request that tell who sent it. */
interface Asked {
  /** The address at the other end of the connection; undefined: it is a Unix socket, or not known. */
  peer: string | undefined;
  header(name: string): string | undefined;
  request(): Request;
  context: RequestContext;
}

const MAX_ADDRESS = 200;

/** Determines who sends a request: by the app's `clientAddress`, else by the peer's address or, behind the proxies in `trustProxy`, by their headers. */
export class Senders {
  readonly #options: SendersOptions;
  readonly #proxies: TrustedProxies;
  readonly #log: SparseLog;

  constructor(options: SendersOptions) {
    this.#options = options;
    this.#proxies = new TrustedProxies(options.trustProxy);
    this.#log = new SparseLog(options.logger);
  }

  /** Whether a trusted proxy says that the client came by https; undefined: none does, and the connection itself tells. */
  isSecure(peer: string | undefined, header: Asked['header']): boolean | undefined {
    return this.#proxies.isSecure(peer, header);
  }

  /** The client's address; undefined if it is not known, which is logged if a limit needs it. */
  address(asked: Asked): string | undefined {
    const { clientAddress, maxConnectionsPerAddress } = this.#options;
    const address = clientAddress
      ? this.#ask(clientAddress, asked)
      : this.#proxies.sender(asked.peer, asked.header).address;
    if (maxConnectionsPerAddress === 0) return address;
    if (address === undefined) {
      this.#log.say(
        'error',
        {},
        'maxConnectionsPerAddress cannot hold for clients whose address is not known: give the option clientAddress, ' +
          'realtime.fetch(request, { address }), or, behind a proxy on a Unix socket, trustProxy',
      );
    } else if (!clientAddress && asked.header('x-forwarded-for') !== undefined && !this.#proxies.includes(asked.peer)) {
      this.#log.say(
        'warn',
        { proxy: printable(address) },
        'a proxy that trustProxy does not name sends clients here: for maxConnectionsPerAddress all of them are one address',
      );
    }
    return address;
  }

  #ask(clientAddress: ClientAddress, { request, context }: Asked): string | undefined {
    try {
      const address: unknown = clientAddress(request(), context);
      if (address === null || address === undefined) return undefined;
      if (typeof address === 'string' && address !== '' && address.length <= MAX_ADDRESS) return address;
      throw new TypeError(`clientAddress must return an address or null (it returned ${typeof address})`);
    } catch (err) {
      this.#log.say('error', { err }, 'clientAddress failed: the address of a client is not known');
      return undefined;
    }
  }
}
