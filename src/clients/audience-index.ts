import { type Audience, EVERYBODY, topicOf } from '../event/audience.js';
import { Bits } from '../lib/bits.js';
import { HashTable, hashOf } from '../lib/hash-table.js';
import type { Client } from './client.js';

/** A group with up to so many clients is a list; a larger group has a bit for each client. */
const MAX_LISTED = 256;

/** The clients of one audience, or of several audiences with the same hash. */
interface Group {
  /** The clients, oldest first; empty if there are bits. Each change makes a new list, so that a list that is being read stays as it is. */
  listed: readonly Client[];
  /** The slots of the clients. */
  bits: Bits | undefined;
  /** Whether there may be clients of another audience with the same hash. */
  mixed: boolean;
}

/**
 * Finds the clients of an audience. Most audiences have one client, and for such an audience the index holds only the hash and the
 * client's number. The audience itself is then compared with the client's own set, as two audiences may have the same hash.
 */
export class AudienceIndex {
  readonly #slots: (Client | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  /** For each hash an even number, twice the slot of its only client, or an odd number, twice the place of its group plus one. */
  readonly #table = new HashTable();
  readonly #groups: (Group | undefined)[] = [];
  readonly #freeGroups: number[] = [];
  readonly #hash: (audience: Audience) => number;
  /** How many topics have a client. It may be off by a few, as audiences with the same hash are counted once. */
  topics = 0;

  constructor(hash: (audience: Audience) => number = hashOf) {
    this.#hash = hash;
  }

  /** Enters a client under all of its audiences except everybody. */
  add(client: Client): void {
    const slot = this.#freeSlots.pop() ?? this.#slots.length;
    this.#slots[slot] = client;
    client.slot = slot;
    for (const audience of client.audiences) if (audience !== EVERYBODY) this.#enter(audience, client);
  }

  remove(client: Client): void {
    for (const audience of client.audiences) if (audience !== EVERYBODY) this.#leave(audience, client);
    this.#slots[client.slot] = undefined;
    this.#freeSlots.push(client.slot);
  }

  /** Takes one audience from a client. */
  drop(client: Client, audience: Audience): void {
    const hash = this.#hash(audience);
    client.audiences = client.audiences.without(audience);
    const twin = [...client.audiences].some((own) => own !== EVERYBODY && this.#hash(own) === hash);
    // A client that has two audiences with the same hash is in their group once, for both; the group has been mixed since it entered.
    if (!twin) this.#leave(audience, client);
  }

  /**
   * The clients of an audience; up to {@link MAX_LISTED} of them are in order, the oldest first. The result is not affected by clients
   * that join or leave later.
   */
  of(audience: Audience): readonly Client[] {
    const value = this.#table.get(this.#hash(audience));
    if (value === undefined) return NOBODY;
    if (value % 2 === 0) {
      const client = this.#slots[value / 2]!;
      return client.audiences.has(audience) ? [client] : NOBODY;
    }
    const { listed, bits, mixed } = this.#groups[(value - 1) / 2]!;
    const clients = bits ? this.#ofBits(bits) : listed;
    if (mixed) return clients.filter((client) => client.audiences.has(audience));
    return clients[0]!.audiences.has(audience) ? clients : NOBODY;
  }

  /** Whether an audience may have a client. False is certain, true is not. */
  has(audience: Audience): boolean {
    return this.#table.get(this.#hash(audience)) !== undefined;
  }

  #ofBits(bits: Bits): Client[] {
    const slots = bits.toArray();
    return slots.map((slot) => this.#slots[slot]!);
  }

  #enter(audience: Audience, client: Client): void {
    const hash = this.#hash(audience);
    const value = this.#table.get(hash);
    if (value === undefined) {
      this.#table.set(hash, client.slot * 2);
      if (topicOf(audience) !== undefined) this.topics += 1;
      return;
    }
    if (value % 2 === 0) {
      const first = this.#slots[value / 2]!;
      const place = this.#freeGroups.pop() ?? this.#groups.length;
      this.#groups[place] = { listed: [first], bits: undefined, mixed: false };
      this.#table.set(hash, place * 2 + 1);
      this.#join(this.#groups[place], audience, client);
    } else this.#join(this.#groups[(value - 1) / 2]!, audience, client);
  }

  #join(group: Group, audience: Audience, client: Client): void {
    const other = group.bits ? this.#slots[group.bits.first!] : group.listed[0];
    // The last one entered may be this same client, under another of its audiences.
    const entered = group.bits ? group.bits.has(client.slot) : group.listed.at(-1) === client;
    group.mixed ||= entered || !other!.audiences.has(audience);
    if (entered) return;
    if (!group.bits && group.listed.length < MAX_LISTED) {
      group.listed = [...group.listed, client];
      return;
    }
    if (!group.bits) {
      group.bits = new Bits();
      for (const each of group.listed) group.bits.add(each.slot);
      group.listed = [];
    }
    group.bits.add(client.slot);
  }

  #leave(audience: Audience, client: Client): void {
    const hash = this.#hash(audience);
    const value = this.#table.get(hash);
    if (value === undefined) return;
    const place = (value - 1) / 2;
    const group = this.#groups[place];
    if (value % 2 === 1 && group) {
      if (group.bits) group.bits.delete(client.slot);
      else group.listed = group.listed.filter((each) => each !== client);
      if ((group.bits?.size ?? group.listed.length) > 0) return;
      this.#groups[place] = undefined;
      this.#freeGroups.push(place);
    }
    this.#table.delete(hash);
    if (topicOf(audience) !== undefined) this.topics -= 1;
  }
}

const NOBODY: readonly Client[] = [];
