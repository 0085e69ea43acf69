import { inTime } from '../../lib/deadline.js';
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
 * Counts requests: in all, of each address and of each user. A request counts from before `authenticate` is called, so that no more
 * calls run than there are places, until its connection is gone.
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
   * @param sender - its address is read only if there is a limit for addresses, as finding it out costs as much as a write
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

  /** A place was given back. @param key - the address for which it counted */
  left(key: string | undefined): void {
    this.#total -= 1;
    if (key !== undefined) count(this.#byAddress, key, -1);
    if (this.#total > 0) return;
    for (const resolve of this.#empty) resolve();
    this.#empty = [];
  }

  /** Changes how many places this user has. */
  countUser(userId: string, change: number): void {
    count(this.#byUser, userId, change);
  }

  /** Whether this user has as many places as one user may have. */
  isFull(userId: string): boolean {
    return (this.#byUser.get(userId) ?? 0) >= this.#limits.maxConnectionsPerUser;
  }

  /** Resolves when no place is taken any more, or after so many milliseconds. */
  async emptied(milliseconds: number): Promise<void> {
    if (this.#total === 0) return;
    const emptied = new Promise<void>((resolve) => this.#empty.push(resolve));
    await inTime(emptied, milliseconds);
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

  /** The place belongs to this user. */
  assign(userId: string | null): void {
    this.#userId = userId;
    if (userId !== null) this.#admission.countUser(userId, 1);
  }

  /** The place no longer counts for the user, as another of the user's streams takes it over. */
  release(): void {
    if (this.#userId !== null) this.#admission.countUser(this.#userId, -1);
    this.#userId = null;
  }

  /** Gives the place back; further calls do nothing. */
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
