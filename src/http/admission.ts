import { problem, type Reply } from './reply.js';

export interface AdmissionLimits {
  maxConnections: number;
  maxConnectionsPerUser: number;
  /** 0: any number. */
  maxConnectionsPerAddress: number;
}

/** How many streams there are, in all, of a user and of an address: from the moment one is let in until it has ended. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byUser = new Map<string, number>();
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** @param userId - undefined: not known yet. @returns why there is no room, or undefined */
  refusal(userId: string | null | undefined, address: string | undefined): Reply | undefined {
    const { maxConnections, maxConnectionsPerUser, maxConnectionsPerAddress } = this.#limits;
    if (this.#total >= maxConnections) {
      return problem(503, 'This instance is full (option maxConnections).', { 'Retry-After': '5' });
    }
    if (userId && (this.#byUser.get(userId) ?? 0) >= maxConnectionsPerUser) {
      return problem(429, 'Too many streams of this user (option maxConnectionsPerUser).', { 'Retry-After': '10' });
    }
    const full = address !== undefined && (this.#byAddress.get(address) ?? 0) >= maxConnectionsPerAddress;
    if (full && maxConnectionsPerAddress > 0) {
      return problem(429, 'Too many streams of this address (option maxConnectionsPerAddress).', {
        'Retry-After': '10',
      });
    }
    return undefined;
  }

  /** Lets one in. @returns what its end calls, once or more often */
  enter(userId: string | null, address: string | undefined): () => void {
    this.#total += 1;
    if (userId !== null) count(this.#byUser, userId, 1);
    if (address !== undefined) count(this.#byAddress, address, 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#total -= 1;
      if (userId !== null) count(this.#byUser, userId, -1);
      if (address !== undefined) count(this.#byAddress, address, -1);
    };
  }
}

function count(counts: Map<string, number>, key: string, change: number): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}
