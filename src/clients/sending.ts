import type { ActivityCounter } from '../activity/counter.js';
import type { Item } from '../event/item.js';
import type { Client } from './client.js';

/** What all clients of one variant get, and how many they are. */
interface Joined {
  readonly variant: string;
  readonly items: readonly Item[];
  readonly chunk: Buffer | undefined;
  clients: number;
  /** Of each user, where the activity asks for it. */
  readonly users: Map<string | null, number> | undefined;
}

/** Events that clients get together: encoded once for each variant, and one write for each client. */
export class Sending {
  readonly #items: readonly Item[];
  readonly #now: number;
  readonly #activity: ActivityCounter;
  readonly #large: boolean;
  /** Of the last client: clients of one variant mostly come one after the other. */
  #joined: Joined | undefined;
  /** Of clients of other variants; mostly there is one variant. */
  #others: Joined[] | undefined;

  /**
   * @param now - whole milliseconds of `performance.now()`
   * @param activity - where it is counted to how many clients each was written
   */
  constructor(items: readonly Item[], now: number, activity: ActivityCounter) {
    this.#items = items;
    this.#now = now;
    this.#activity = activity;
    this.#large = items.some(({ envelope }) => envelope.isLarge);
  }

  /** @param client - has the audience of each event; one that is not live gets nothing */
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

  /** One by one, as a hook answers for each; once it is behind, the client gets none of the rest. */
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
    // Mostly there is one event, and it is wanted.
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
