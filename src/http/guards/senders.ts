import type { Logger } from '../../lib/logger.js';
import { printable } from '../../lib/printable.js';
import { SparseLog } from '../../lib/sparse-log.js';
import type { ClientAddress } from '../../options.js';
import type { RequestContext } from '../incoming.js';
import { TrustedProxies } from './trusted-proxies.js';

export interface SendersOptions {
  trustProxy: readonly string[];
  clientAddress?: ClientAddress | undefined;
  maxConnectionsPerAddress: number;
  logger: Logger;
}

/** A request before it is known who sent it. */
interface Asked {
  /** Undefined: a Unix socket's, or not known. */
  peer: string | undefined;
  header(name: string): string | undefined;
  request(): Request;
  context: RequestContext;
}

const MAX_ADDRESS = 200;

/** Says who sends a request: the app's `clientAddress`, else the peer or, past the proxies of `trustProxy`, its client. */
export class Senders {
  readonly #options: SendersOptions;
  readonly #proxies: TrustedProxies;
  readonly #log: SparseLog;

  constructor(options: SendersOptions) {
    this.#options = options;
    this.#proxies = new TrustedProxies(options.trustProxy);
    this.#log = new SparseLog(options.logger);
  }

  /** Whether the client came by https; undefined: no trusted proxy says, and the connection itself tells. */
  isSecure(peer: string | undefined, header: Asked['header']): boolean | undefined {
    return this.#proxies.isSecure(peer, header);
  }

  /** The client's address; undefined, and logged where a limit needs it: not known. */
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
