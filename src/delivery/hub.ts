import type { Client } from './client.js';
import { heartbeatFrame, type Pulse } from './frame.js';
import type { Item } from './history.js';
import type { Tally } from './tally.js';

export interface HubOptions {
  /** Milliseconds of silence after which a client gets a heartbeat. */
  heartbeat: number;
  /** Milliseconds in which a client with bytes waiting reads none of them, before it is closed. */
  writeTimeout: number;
  /** Where the stream stands: a heartbeat carries it, so that a quiet client's id does not grow old. */
  position(): string;
  /** Where it is counted to how many clients an event was written. */
  tally: Tally;
}

/** What all clients of one variant get in a turn, and how many they are. */
interface Joined {
  readonly items: readonly Item[];
  readonly chunk: Buffer | undefined;
  clients: number;
  /** Of each user, where the tally asks for it. */
  readonly users: Map<string | null, number> | undefined;
}

/**
 * Who gets an event. Clients are found by user, so that an event for one user visits nobody else; all events of a
 * turn are joined into one buffer, and each client gets one write.
 */
export class Hub {
  readonly #options: HubOptions;
  /** Every open stream, those that still resume included. */
  readonly #clients = new Set<Client>();
  /** Those that get events the moment they come. */
  readonly #live = new Set<Client>();
  readonly #liveByUser = new Map<string, Set<Client>>();
  /** Public events of this turn. */
  #turn: Item[] = [];
  /** Clients with events of their own in this turn. */
  #touched = new Set<Client>();
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  /** `performance.now()` of the last look at all clients. */
  #ticked = 0;
  /** What clients that have left got. */
  #delivered = 0;
  #bytes = 0;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  get clients(): Iterable<Client> {
    return this.#clients;
  }

  /** From now on this client is kept alive and watched; events come when it has joined. */
  admit(client: Client): void {
    this.#clients.add(client);
    if (this.#timer) return;
    const interval = Math.min(this.#options.heartbeat, this.#options.writeTimeout) / 4;
    this.#ticked = performance.now();
    this.#timer = setInterval(() => this.#tick(interval), interval);
  }

  /** From the next event on this client is live. */
  join(client: Client): void {
    if (client.closed) return;
    // What this turn holds has been read from history by a client that resumed, or was before a new one's time.
    this.flush();
    this.#live.add(client);
    if (client.userId === null) return;
    const clients = this.#liveByUser.get(client.userId);
    if (clients) clients.add(client);
    else this.#liveByUser.set(client.userId, new Set([client]));
  }

  leave(client: Client): void {
    if (!this.#clients.delete(client)) return;
    this.#delivered += client.sent;
    this.#bytes += client.bytes;
    this.#live.delete(client);
    this.#touched.delete(client);
    if (client.userId !== null) {
      const clients = this.#liveByUser.get(client.userId);
      clients?.delete(client);
      if (clients?.size === 0) this.#liveByUser.delete(client.userId);
    }
    if (this.#clients.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Events written to clients since the start. */
  get delivered(): number {
    let sum = this.#delivered;
    for (const client of this.#clients) sum += client.sent;
    return sum;
  }

  /** Bytes written to streams since the start. */
  get bytes(): number {
    let sum = this.#bytes;
    for (const client of this.#clients) sum += client.bytes;
    return sum;
  }

  /** Bytes that wait for clients now. */
  get buffered(): number {
    let sum = 0;
    for (const client of this.#clients) sum += client.buffered;
    return sum;
  }

  deliver(item: Item): void {
    const { scope, userId } = item.envelope;
    if (scope === 'public') this.#turn.push(item);
    else if (scope === 'user' && userId !== null) {
      const clients = this.#liveByUser.get(userId);
      if (!clients) return;
      for (const client of clients) {
        client.own ??= [];
        client.own.push({ item, after: this.#turn.length });
        this.#touched.add(client);
      }
    } else return;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Runs when the chunk that PostgreSQL's socket gave us has been read to its end: no delay, and one write for all.
    queueMicrotask(() => this.flush());
  }

  /** Writes what this turn holds. */
  flush(): void {
    this.#scheduled = false;
    const turn = this.#turn;
    const touched = this.#touched;
    if (turn.length === 0 && touched.size === 0) return;
    this.#turn = [];
    this.#touched = new Set();
    const now = Math.floor(performance.now());
    for (const client of touched) {
      this.#sendMerged(client, turn, client.own ?? [], now);
      client.own = undefined;
    }
    if (turn.length === 0) return;
    const variants = new Map<string, Joined>();
    // Clients of one variant mostly come one after the other.
    let variant: string | undefined;
    let joined: Joined | undefined;
    for (const client of this.#live) {
      if (touched.size > 0 && touched.has(client)) continue;
      if (client.variant === undefined) {
        for (const item of turn) client.send(item);
        continue;
      }
      if (!joined || client.variant !== variant) {
        variant = client.variant;
        joined = variants.get(variant);
        if (!joined) {
          joined = this.#encode(client, turn);
          variants.set(variant, joined);
        }
      }
      if (!joined.chunk) continue;
      client.write(joined.chunk, now);
      client.sent += joined.items.length;
      joined.clients += 1;
      joined.users?.set(client.userId, (joined.users.get(client.userId) ?? 0) + 1);
    }
    for (const joined of variants.values()) this.#count(joined);
  }

  #encode(client: Client, turn: readonly Item[]): Joined {
    const items = turn.filter((item) => client.wants(item));
    const frames = items.map((item) => item.frame(client.named));
    const chunk = frames.length > 1 ? Buffer.concat(frames) : frames[0];
    return { items, chunk, clients: 0, users: this.#options.tally.level === 'full' ? new Map() : undefined };
  }

  #count({ items, clients, users }: Joined): void {
    const { tally } = this.#options;
    for (const { envelope } of items) {
      if (!users) tally.sent(envelope, null, clients);
      else for (const [userId, count] of users) tally.sent(envelope, userId, count);
    }
  }

  /** A client's own events and the public ones of the turn, in the order in which they came. */
  #sendMerged(client: Client, turn: Item[], own: { item: Item; after: number }[], now: number): void {
    const items: Item[] = [];
    let next = 0;
    for (const { item, after } of own) {
      while (next < after) items.push(turn[next++]!);
      items.push(item);
    }
    items.push(...turn.slice(next));
    if (client.variant === undefined) {
      for (const item of items) client.send(item);
      return;
    }
    const joined = this.#encode(client, items);
    if (!joined.chunk) return;
    client.write(joined.chunk, now);
    client.sent += joined.items.length;
    for (const { envelope } of joined.items) this.#options.tally.sent(envelope, client.userId, 1);
  }

  /** One timer for all clients. */
  #tick(interval: number): void {
    const now = performance.now();
    // Where this process itself was held up it has not looked whether clients read: a look counts for its interval only.
    const heldUp = Math.max(0, now - this.#ticked - interval);
    this.#ticked = now;
    const heartbeats: { [kind in Pulse | `resuming ${Pulse}`]?: Buffer } = {};
    for (const client of this.#clients) {
      if (client.stalledSince !== undefined) client.stalledSince += heldUp;
      if (client.stalledFor(now) > this.#options.writeTimeout) {
        client.close('stalled');
      } else if (now > client.expires) {
        client.close('lifetime');
      } else if (now - client.lastWrite >= this.#options.heartbeat) {
        // Who still resumes, or has events behind a hook, has not got all that the position promises.
        const caughtUp = this.#live.has(client) && !client.hooksPending;
        const kind = caughtUp ? client.pulse : (`resuming ${client.pulse}` as const);
        heartbeats[kind] ??= heartbeatFrame(caughtUp ? this.#options.position() : undefined, client.pulse);
        client.write(heartbeats[kind], now);
      }
    }
  }
}
