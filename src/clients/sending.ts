import type { ActivityCounter } from '../activity/counter.js';
import type { Item } from '../event/item.js';
import type { Client } from './client.js';

/** The bytes that all clients of one variant get, and how many clients got them. */
interface Joined {
  readonly variant: string;
  readonly items: readonly Item[];
  readonly chunk: Buffer | undefined;
  clients: number;
  /** The clients of each user; undefined unless the setting `activity` asks for it. */
  readonly users: Map<string | null, number> | undefined;
}

/** Sends events to many clients: the events are encoded once for each variant, and each client gets one write. */
export class Sending {
  readonly #items: readonly Item[];
  readonly #now: number;
  readonly #activity: ActivityCounter;
  readonly #large: boolean;
  /** The variant of the last client. Most clients in a row have the same variant. */
  #joined: Joined | undefined;
  /** The other variants. Mostly there are none. */
  #others: Joined[] | undefined;

  /**
   * @param now - whole milliseconds of `performance.now()`
   * @param activity - counts to how many clients each event was written
   */
  constructor(items: readonly Item[], now: number, activity: ActivityCounter) {
    this.#items = items;
    this.#now = now;
    this.#activity = activity;
    this.#large = items.some(({ envelope }) => envelope.isLarge);
  }

  /** @param client - must have the audience of each event; a client that is not live gets nothing */
  to(client: Client): void {
    if (!client.live) return;
    if (client.variant === undefined) {
      if (this.#large) this.#each(client);
      else for (const item of this.#items) client.send(item);
      return;
    }
    const joined = this.#joined?.variant === client.variant ? this.#joined : this.#join(client, client.variant);
    if (!joined.chunk) return;
    if (this.#large && client.fallsBehind(this.#items, joined.chunk.length)) return;
    client.write(joined.chunk, this.#now);
    client.sent += joined.items.length;
    joined.clients += 1;
    if (joined.users) joined.users.set(client.userId, (joined.users.get(client.userId) ?? 0) + 1);
  }

  /** Sends event by event, as `beforeSend` answers for each. Once the client falls behind it gets none of the rest. */
  #each(client: Client): void {
    for (const item of this.#items) {
      if (item.envelope.isLarge && client.wants(item) && client.fallsBehind([item], item.size)) return;
      client.send(item);
    }
  }

  #join(client: Client, variant: string): Joined {
    const before = this.#joined;
    let joined = this.#others?.find((other) => other.variant === variant);
    if (before) {
      this.#others ??= [];
      if (!this.#others.includes(before)) this.#others.push(before);
    }
    joined ??= this.#encode(client, variant);
    this.#joined = joined;
    return joined;
  }

  #encode(client: Client, variant: string): Joined {
    const all = this.#items;
    // Mostly there is one event and the client wants it, so no new list is made.
    const items = all.every((item) => client.wants(item)) ? all : all.filter((item) => client.wants(item));
    const chunk =
      items.length > 1 ? Buffer.concat(items.map((item) => item.frame(client.named))) : items[0]?.frame(client.named);
    return { variant, items, chunk, clients: 0, users: this.#activity.level === 'full' ? new Map() : undefined };
  }

  /** Counts what was written. */
  end(): void {
    if (this.#activity.level === 'off' || !this.#joined) return;
    for (const joined of new Set([this.#joined, ...(this.#others ?? [])])) this.#count(joined);
  }

  #count({ items, clients, users }: Joined): void {
    for (const { envelope } of items) {
      if (!users) this.#activity.sent(envelope, null, clients);
      else for (const [userId, count] of users) this.#activity.sent(envelope, userId, count);
    }
  }
}
