import type { Incoming } from '../incoming.js';
import { problem, type Reply } from '../reply.js';
import { limitKey } from './trusted-proxies.js';

export interface AdmissionLimits {
  maxConnections: number;
  maxConnectionsPerUser: number;
  /** 0: any number. */
  maxConnectionsPerAddress: number;
}

/**
 * How many requests there are, in all, of an address and of a user. One is counted from before `authenticate` is asked, so
 * that no more run in it than there are places, until its connection is gone.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byUser = new Map<string, number>();
  readonly #byAddress = new Map<string, number>();
  #total = 0;
  #empty: (() => void)[] = [];

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Places that are taken. */
  get size(): number {
    return this.#total;
  }

  /**
   * @param sender - whose address is asked for where it is limited: to find it out costs as much as a write
   * @returns a place, or why there is none
   */
  enter(sender: Pick<Incoming, 'address'>): Place | Reply {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    if (this.#total >= maxConnections) {
      return problem(503, 'This instance is full (option maxConnections).', { 'Retry-After': '5' });
    }
    const address = maxConnectionsPerAddress > 0 ? sender.address : undefined;
    const key = address === undefined ? undefined : limitKey(address);
    if (key !== undefined && (this.#byAddress.get(key) ?? 0) >= maxConnectionsPerAddress) {
      return problem(429, 'Too many streams of this address (option maxConnectionsPerAddress).', {
        'Retry-After': '10',
      });
    }
    this.#total += 1;
    if (key !== undefined) count(this.#byAddress, key, 1);
    return new Place(this, key);
  }

  /** A place is given back. @param key - the address that it counts for */
  left(key: string | undefined): void {
    this.#total -= 1;
    if (key !== undefined) count(this.#byAddress, key, -1);
    if (this.#total > 0) return;
    for (const resolve of this.#empty) resolve();
    this.#empty = [];
  }

  /** So many places more, or fewer, are this user's. */
  countUser(userId: string, change: number): void {
    count(this.#byUser, userId, change);
  }

  /** Whether this user has all the places that a user may have. */
  isFull(userId: string): boolean {
    return (this.#byUser.get(userId) ?? 0) >= this.#limits.maxConnectionsPerUser;
  }

  /** Resolves when no place is taken any more, or so many milliseconds have passed. */
  async emptied(milliseconds: number): Promise<void> {
    if (this.#total === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#empty.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** One of the places of an {@link Admission}. */
export class Place {
  readonly #admission: Admission;
  readonly #key: string | undefined;
  #userId: string | null = null;
  #left = false;

  constructor(admission: Admission, key: string | undefined) {
    this.#admission = admission;
    this.#key = key;
  }

  /** It is this user's. */
  assign(userId: string | null): void {
    this.#userId = userId;
    if (userId !== null) this.#admission.countUser(userId, 1);
  }

  /** It is no longer the user's: another of their streams takes it over. */
  release(): void {
    if (this.#userId !== null) this.#admission.countUser(this.#userId, -1);
    this.#userId = null;
  }

  /** Gives it back, once however often it is called. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.release();
    this.#admission.left(this.#key);
  }
}

function count(counts: Map<string, number>, key: string, change: number): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}
