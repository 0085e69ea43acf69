import type { ActivityCounter } from '../activity/counter.js';
import { type Audience, EVERYBODY } from '../event/audience.js';
import type { Item } from '../event/item.js';
import type { Meter } from '../lib/meter.js';
import { AudienceIndex } from './audience-index.js';
import type { Client } from './client.js';
import { type Group, groupsOf } from './groups.js';
import { Keeper, type KeeperOptions } from './keeper.js';
import { Sending } from './sending.js';

export interface HubOptions extends KeeperOptions {
  /** Counts to how many clients each event was written. */
  activity: ActivityCounter;
}

/**
 * Decides which clients get an event, and writes it to them. It finds clients by audience, so an event for one user or topic costs
 * nothing for other clients. Events of one turn of the event loop are written together, with one write for each client, unless `flush`
 * runs earlier or `beforeSend` answers for each event.
 */
export class Hub {
  /** Every open stream, including those that still resume. */
  readonly #clients = new Set<Client>();
  /** The same clients by audience; the audience of everybody is left out. */
  readonly #index = new AudienceIndex();
  readonly #activity: ActivityCounter;
  readonly #keeper: Keeper;
  /** Events of this turn, by audience, each in the order in which they came. */
  #turn = new Map<Audience, Item[]>();
  #turns = 0;
  #scheduled = false;
  /** Events and bytes that were written to clients which have left since. */
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

  /** The clients of an audience, including those that still resume. The result is not affected by clients that are admitted or leave later. */
  clientsOf(audience: Audience): Iterable<Client> {
    return audience === EVERYBODY ? [...this.#clients] : this.#index.of(audience);
  }

  /**
   * From now on this client gets heartbeats and is closed when it does not read. The hub writes events to it only after {@link join};
   * until then only its resume does.
   */
  admit(client: Client): void {
    this.#clients.add(client);
    this.#index.add(client);
    this.#keeper.start();
  }

  /** From the next event on this client is live: it gets events as they are delivered. */
  join(client: Client): void {
    if (client.closed) return;
    // The events of this turn are not for it: a client that resumed has read them from history, and a new client came after them.
    this.flush();
    client.live = true;
    client.behind = false;
  }

  /** This client may no longer hear this audience. It still gets the events of this turn, to which it was entitled. */
  drop(client: Client, audience: Audience): void {
    if (!client.audiences.has(audience)) return;
    this.flush();
    // Writing the turn may have closed the client as too slow.
    if (this.#clients.has(client)) this.#index.drop(client, audience);
  }

  /** Writes a frame that is no event to the clients of a user or a topic that are live or behind. It is not for the audience of everybody. */
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
    // A topic must never be a label: an app may have any number of topics.
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

  /**
   * Keeps an event for the write at the end of this turn. It ignores an event without an audience, which is for no client, and an event
   * for a user or a topic for which no client is connected.
   */
  deliver(item: Item): void {
    const { audience } = item.envelope;
    if (audience === undefined) return;
    if (audience !== EVERYBODY && !this.#index.has(audience)) return;
    const items = this.#turn.get(audience);
    if (items) items.push(item);
    else this.#turn.set(audience, [item]);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The microtask runs once the whole chunk from PostgreSQL's socket has been parsed: there is no delay, and one write for all its events.
    queueMicrotask(() => this.flush());
  }

  /** Writes the events of this turn to their clients. */
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

  /** @param done - clients that are marked with this turn have got these events already */
  #sendAll(items: readonly Item[], now: number, done?: number): void {
    const sending = new Sending(items, now, this.#activity);
    for (const client of this.#clients) if (done === undefined || client.turn !== done) sending.to(client);
    sending.end();
  }

  /**
   * Groups the clients of a turn's audiences by which of these audiences they have, and marks each with the turn. The audience of
   * everybody is left out.
   */
  #groups(audiences: readonly Audience[]): Iterable<Group> {
    const found: Group[] = [];
    // In most turns no client has two of the audiences, and then each audience is a group.
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
