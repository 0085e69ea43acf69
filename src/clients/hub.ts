import type { ActivityCounter } from '../activity/counter.js';
import { type Audience, EVERYBODY, topicOf } from '../event/audience.js';
import { heartbeatFrame, type Pulse } from '../event/frame.js';
import type { Item } from '../event/item.js';
import type { Client } from './client.js';
import { groupsOf } from './groups.js';

export interface HubOptions {
  /** Milliseconds of silence after which a client gets a heartbeat. */
  heartbeat: number;
  /** Milliseconds in which a client with bytes waiting reads none of them, before it is closed. */
  writeTimeout: number;
  /** Where the stream stands: a heartbeat carries it, so that a quiet client's id does not grow old. */
  position(): string;
  /** Where it is counted to how many clients an event was written. */
  activity: ActivityCounter;
}

/** What all clients of one variant get in a turn, and how many they are. */
interface Joined {
  readonly items: readonly Item[];
  readonly chunk: Buffer | undefined;
  clients: number;
  /** Of each user, where the activity asks for it. */
  readonly users: Map<string | null, number> | undefined;
}

/**
 * Who gets an event. Clients are found by audience, so that an event for one user or topic visits nobody else; all events of a
 * turn are joined into one buffer, and each client gets one write.
 */
export class Hub {
  readonly #options: HubOptions;
  /** Every open stream, those that still resume included. */
  readonly #clients = new Set<Client>();
  /** Those that get events the moment they come. */
  readonly #live = new Set<Client>();
  /** The same, by each audience but everybody. Most users have one stream, and a set takes what ten clients do. */
  readonly #liveByAudience = new Map<Audience, Client | Set<Client>>();
  /** Events of this turn, by audience, each in the order in which they came. */
  #turn = new Map<Audience, Item[]>();
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
    for (const audience of client.audiences) {
      if (audience === EVERYBODY) continue;
      const others = this.#liveByAudience.get(audience);
      if (!others) this.#liveByAudience.set(audience, client);
      else if (others instanceof Set) others.add(client);
      else this.#liveByAudience.set(audience, new Set([others, client]));
    }
  }

  /** This client may no longer hear this audience. What the turn holds it was still entitled to. */
  drop(client: Client, audience: Audience): void {
    if (!client.audiences.includes(audience)) return;
    this.flush();
    client.audiences = client.audiences.filter((own) => own !== audience);
    this.#forget(client, audience);
  }

  /** Writes what is no event to the live clients of an audience. */
  tell(audience: Audience, chunk: Buffer, except?: ReadonlySet<Client>): void {
    this.flush();
    for (const client of this.#hearing(audience)) if (!except?.has(client)) client.write(chunk);
  }

  /** The very text that others have for this audience: fifty topics a client are many texts. */
  shared(audience: Audience): Audience {
    for (const client of this.#hearing(audience)) return client.audiences.find((own) => own === audience) ?? audience;
    return audience;
  }

  #hearing(audience: Audience): Iterable<Client> {
    const clients = this.#liveByAudience.get(audience);
    if (!clients) return [];
    return clients instanceof Set ? clients : [clients];
  }

  #forget(client: Client, audience: Audience): void {
    const clients = this.#liveByAudience.get(audience);
    if (clients === client) this.#liveByAudience.delete(audience);
    else if (clients instanceof Set && clients.delete(client) && clients.size === 0) {
      this.#liveByAudience.delete(audience);
    }
  }

  leave(client: Client): void {
    if (!this.#clients.delete(client)) return;
    this.#delivered += client.sent;
    this.#bytes += client.bytes;
    this.#live.delete(client);
    for (const audience of client.audiences) this.#forget(client, audience);
    if (this.#clients.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Topics that clients hear now. */
  get topics(): number {
    let topics = 0;
    for (const audience of this.#liveByAudience.keys()) if (topicOf(audience) !== undefined) topics += 1;
    return topics;
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
    const { audience } = item.envelope;
    if (audience === undefined) return;
    if (audience !== EVERYBODY && !this.#liveByAudience.has(audience)) return;
    const items = this.#turn.get(audience);
    if (items) items.push(item);
    else this.#turn.set(audience, [item]);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Runs when the chunk that PostgreSQL's socket gave us has been read to its end: no delay, and one write for all.
    queueMicrotask(() => this.flush());
  }

  /** Writes what this turn holds. */
  flush(): void {
    this.#scheduled = false;
    const turn = this.#turn;
    if (turn.size === 0) return;
    this.#turn = new Map();
    const now = Math.floor(performance.now());
    const everybody = turn.get(EVERYBODY);
    if (turn.size === 1) {
      const [audience, items] = turn.entries().next().value!;
      const clients = everybody ? this.#live : this.#liveByAudience.get(audience);
      if (clients instanceof Set) this.#send(items, clients, now);
      else if (clients) this.#sendOne(items, clients, now);
      return;
    }
    const keys = this.#keysOf(turn);
    for (const { audiences, clients } of groupsOf(keys, [...turn.keys()])) {
      const parts = audiences.map((audience) => turn.get(audience)!);
      if (everybody) parts.push(everybody);
      const items = parts.length > 1 ? parts.flat().sort((a, b) => a.sequence - b.sequence) : parts[0]!;
      if (clients.length > 1) this.#send(items, new Set(clients), now);
      else this.#sendOne(items, clients[0]!, now);
    }
    if (everybody) this.#send(everybody, this.#live, now, keys);
  }

  /** Which audiences' events of a turn a client gets, as their places in it: an audience may have any character, a key must not. */
  #keysOf(turn: ReadonlyMap<Audience, unknown>): Map<Client, string> {
    const keys = new Map<Client, string>();
    let place = -1;
    for (const audience of turn.keys()) {
      place += 1;
      const clients = this.#liveByAudience.get(audience);
      if (!clients) continue;
      const own = String(place);
      const add = (client: Client) => {
        const before = keys.get(client);
        keys.set(client, before === undefined ? own : `${before},${own}`);
      };
      if (clients instanceof Set) clients.forEach(add);
      else add(clients);
    }
    return keys;
  }

  /** The same for one client, which mostly has a user's events. */
  #sendOne(items: readonly Item[], client: Client, now: number): void {
    if (client.variant === undefined) {
      for (const item of items) client.send(item);
      return;
    }
    const joined = this.#encode(client, items);
    if (!joined.chunk) return;
    client.write(joined.chunk, now);
    client.sent += joined.items.length;
    for (const { envelope } of joined.items) this.#options.activity.sent(envelope, client.userId, 1);
  }

  /** The same events for many clients: encoded once a variant, and one write for each. */
  #send(
    items: readonly Item[],
    clients: ReadonlySet<Client>,
    now: number,
    except?: ReadonlyMap<Client, unknown>,
  ): void {
    const variants = new Map<string, Joined>();
    // Clients of one variant mostly come one after the other.
    let variant: string | undefined;
    let joined: Joined | undefined;
    for (const client of clients) {
      if (except?.has(client)) continue;
      if (client.variant === undefined) {
        for (const item of items) client.send(item);
        continue;
      }
      if (!joined || client.variant !== variant) {
        variant = client.variant;
        joined = variants.get(variant);
        if (!joined) {
          joined = this.#encode(client, items);
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
    return { items, chunk, clients: 0, users: this.#options.activity.level === 'full' ? new Map() : undefined };
  }

  #count({ items, clients, users }: Joined): void {
    const { activity } = this.#options;
    for (const { envelope } of items) {
      if (!users) activity.sent(envelope, null, clients);
      else for (const [userId, count] of users) activity.sent(envelope, userId, count);
    }
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
