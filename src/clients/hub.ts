import type { ActivityCounter } from '../activity/counter.js';
import { type Audience, EVERYBODY } from '../event/audience.js';
import type { Item } from '../event/item.js';
import type { Meter } from '../lib/meter.js';
import { AudienceIndex } from './audience-index.js';
import type { Client } from './client.js';
import { type Group, groupsOf } from './groups.js';
import { Keeper } from './keeper.js';
import { Sending } from './sending.js';

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

/**
 * Who gets an event. Clients are found by audience, so that an event for one user or topic visits nobody else; all events of a
 * turn are joined into one buffer, and each client gets one write.
 */
export class Hub {
  /** Every open stream, those that still resume included. */
  readonly #clients = new Set<Client>();
  /** The same, by each audience but everybody. */
  readonly #index = new AudienceIndex();
  readonly #activity: ActivityCounter;
  readonly #keeper: Keeper;
  /** Events of this turn, by audience, each in the order in which they came. */
  #turn = new Map<Audience, Item[]>();
  #turns = 0;
  #scheduled = false;
  /** What clients that have left got. */
  #delivered = 0;
  #bytes = 0;

  constructor(options: HubOptions) {
    this.#activity = options.activity;
    this.#keeper = new Keeper(options, this.#clients);
  }

  get size(): number {
    return this.#clients.size;
  }

  get clients(): Iterable<Client> {
    return this.#clients;
  }

  /** The clients of an audience, those that still resume included. What joins or leaves meanwhile does no harm. */
  clientsOf(audience: Audience): Iterable<Client> {
    return audience === EVERYBODY ? [...this.#clients] : this.#index.of(audience);
  }

  /** From now on this client is kept alive and watched; events come when it has joined. */
  admit(client: Client): void {
    this.#clients.add(client);
    this.#index.add(client);
    this.#keeper.start();
  }

  /** From the next event on this client is live. */
  join(client: Client): void {
    if (client.closed) return;
    // What this turn holds has been read from history by a client that resumed, or was before a new one's time.
    this.flush();
    client.live = true;
    client.behind = false;
  }

  /** This client may no longer hear this audience. What the turn holds it was still entitled to. */
  drop(client: Client, audience: Audience): void {
    if (!client.audiences.has(audience)) return;
    this.flush();
    // Its write may have found that it does not keep up.
    if (this.#clients.has(client)) this.#index.drop(client, audience);
  }

  /** Writes what is no event to the live clients of an audience. */
  tell(audience: Audience, chunk: Buffer, except?: ReadonlySet<Client>): void {
    this.flush();
    for (const client of this.#index.of(audience)) {
      if ((client.live || client.behind) && !except?.has(client)) client.write(chunk);
    }
  }

  leave(client: Client): void {
    if (!this.#clients.delete(client)) return;
    client.live = false;
    this.#index.remove(client);
    this.#delivered += client.sent;
    this.#bytes += client.bytes;
    if (this.#clients.size === 0) this.#keeper.stop();
  }

  metrics(meter: Meter): void {
    meter.gauge('djr_connections', 'Open streams', () => this.size);
    meter.gauge('djr_buffered_bytes', 'Bytes that wait for clients to read them', () => this.buffered);
    meter.counter('djr_sent_bytes_total', 'Bytes written to streams', () => this.bytes);
    // Never with a topic as a label: there are as many as the app makes.
    meter.gauge('djr_topics', 'Topics that clients hear now', () => this.topics);
  }

  /** Topics that clients hear now. */
  get topics(): number {
    return Math.max(0, this.#index.topics);
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
    if (audience !== EVERYBODY && !this.#index.has(audience)) return;
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
      if (everybody) this.#sendAll(items, now);
      else this.#send(items, this.#index.of(audience), now);
      return;
    }
    this.#turns = (this.#turns + 1) | 0;
    for (const { audiences, clients } of this.#groups([...turn.keys()])) {
      const parts = audiences.map((audience) => turn.get(audience)!);
      if (everybody) parts.push(everybody);
      const items = parts.length > 1 ? parts.flat().sort((a, b) => a.order - b.order) : parts[0]!;
      this.#send(items, clients, now);
    }
    if (everybody) this.#sendAll(everybody, now, this.#turns);
  }

  #send(items: readonly Item[], clients: readonly Client[], now: number): void {
    const sending = new Sending(items, now, this.#activity);
    for (const client of clients) sending.to(client);
    sending.end();
  }

  /** @param done - clients that are marked with this turn have got these already */
  #sendAll(items: readonly Item[], now: number, done?: number): void {
    const sending = new Sending(items, now, this.#activity);
    for (const client of this.#clients) if (done === undefined || client.turn !== done) sending.to(client);
    sending.end();
  }

  /** The clients that have any of a turn's audiences but everybody, by which of them they have; each is marked with the turn. */
  #groups(audiences: readonly Audience[]): Iterable<Group> {
    const found: Group[] = [];
    // Few turns have two events for one client that are not of one audience.
    let apart = true;
    for (const audience of audiences) {
      if (audience === EVERYBODY) continue;
      const clients = this.#index.of(audience);
      for (const client of clients) {
        if (client.turn === this.#turns) apart = false;
        client.turn = this.#turns;
      }
      found.push({ audiences: [audience], clients });
    }
    return apart
      ? found
      : groupsOf(
          found.map(({ clients }) => clients),
          audiences.filter((one) => one !== EVERYBODY),
        );
  }
}
