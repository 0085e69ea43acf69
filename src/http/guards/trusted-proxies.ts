import { BlockList, isIP, isIPv6 } from 'node:net';

/** The entry of `trustProxy` that stands for the peers of a Unix socket, which have no address. */
const UNIX = 'unix';

/** Who sent a request, as far as its headers can be trusted. */
export interface Sender {
  /** The client's address; undefined: not known. */
  address: string | undefined;
  /** Whether the client came by https; undefined: no trusted proxy says so. */
  secure: boolean | undefined;
}

/** The eight words of an IPv6 address. */
function wordsOf(address: string): number[] {
  // The URL parser writes the address in its canonical form.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const [left, right] = [words(head), words(tail ?? '')];
  const zeros = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((word) => Number.parseInt(word, 16));
}

/**
 * An address in one canonical form: without port, brackets or zone; an IPv4-mapped IPv6 address becomes the IPv4 address.
 *
 * @returns undefined if it is no address
 */
export function plainAddress(text: string): string | undefined {
  const trimmed = text.trim().replace(/^"(.*)"$/, '$1');
  const bare = /^\[([^\]]+)\](:\d+)?$/.exec(trimmed)?.[1] ?? /^([\d.]+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
  const address = bare.replace(/%.*$/, '');
  if (isIP(address) === 0) return undefined;
  if (!isIPv6(address)) return address;
  const words = wordsOf(address);
  if (words.slice(0, 5).some((word) => word !== 0) || words[5] !== 0xffff) return address.toLowerCase();
  return [words[6]! >> 8, words[6]! & 255, words[7]! >> 8, words[7]! & 255].join('.');
}

/** The key under which a client is counted: its IPv4 address, or the /64 network of its IPv6 address, all of which one household or machine has. */
export function limitKey(address: string): string {
  const plain = plainAddress(address) ?? address;
  if (!isIPv6(plain)) return plain;
  const network = wordsOf(plain).slice(0, 4);
  return `${network.map((word) => word.toString(16)).join(':')}::/64`;
}

/** Adds an entry of `trustProxy` to the list. @returns false if it is no valid entry */
function add(list: BlockList, entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const bits = family === 'ipv6' ? 128 : 32;
  if (isIP(address) === 0 || rest.length > 0) return false;
  if (prefix === undefined) list.addAddress(address, family);
  else if (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits) list.addSubnet(address, Number(prefix), family);
  else return false;
  return true;
}

/** Whether `trustProxy` may have this entry: an address, a network as `10.0.0.0/8`, or `unix`. */
export const isProxy = (entry: string): boolean => entry === UNIX || add(new BlockList(), entry);

/** The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. Any other client can write into these headers what it likes. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #unix: boolean;
  /** Whether no proxy is trusted, as in nearly every app: then no request costs anything here. */
  readonly #none: boolean;

  /** @param entries - of which each {@link isProxy} */
  constructor(entries: readonly string[]) {
    this.#none = entries.length === 0;
    this.#unix = entries.includes(UNIX);
    for (const entry of entries) add(this.#list, entry);
  }

  /** @param peer - undefined: the peer of a Unix socket */
  includes(peer: string | undefined): boolean {
    if (this.#none) return false;
    if (peer === undefined) return this.#unix;
    const plain = plainAddress(peer);
    return plain !== undefined && this.#list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  /** Whether the client came by https; undefined: no trusted proxy says. */
  isSecure(peer: string | undefined, header: (name: string) => string | undefined): boolean | undefined {
    return this.#none ? undefined : this.sender(peer, header).secure;
  }

  /**
   * Walks `X-Forwarded-For` from its end, where the nearest proxy wrote, to the first address that is not a trusted proxy.
   *
   * @param peer - the address at the other end of the connection
   */
  sender(peer: string | undefined, header: (name: string) => string | undefined): Sender {
    const own = peer === undefined ? undefined : (plainAddress(peer) ?? peer);
    if (!this.includes(peer)) return { address: own, secure: undefined };
    const listOf = (name: string) => (header(name) ?? '').split(',').map((entry) => entry.trim());
    const hops = listOf('x-forwarded-for').filter((hop) => hop !== '');
    let address = own;
    let at = hops.length;
    while (at > 0) {
      const hop = plainAddress(hops[at - 1]!);
      if (hop === undefined) break;
      at -= 1;
      address = hop;
      if (!this.includes(hop)) break;
    }
    const schemes = listOf('x-forwarded-proto');
    // A proxy that appends to X-Forwarded-Proto leaves one entry for each hop; a proxy that sets it leaves a single entry.
    const scheme = schemes.length === hops.length ? schemes[Math.min(at, hops.length - 1)] : schemes.at(-1);
    return { address, secure: scheme ? scheme.toLowerCase() === 'https' : undefined };
  }
}
