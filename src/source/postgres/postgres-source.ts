import type pg from 'pg';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { Item } from '../../event/item.js';
import { requireSchema } from '../../install/schema.js';
import type { Finding } from '../../instance/finding.js';
import type { Meter } from '../../lib/meter.js';
import type { ResolvedOptions } from '../../options.js';
import { ask } from '../../postgres/ask.js';
import type { Database } from '../../postgres/database.js';
import { Feed } from '../../stream/feed.js';
import { Head } from '../../stream/head.js';
import type { Need, Recent } from '../../stream/resume/backlog.js';
import { Pruner } from '../../upkeep/pruner.js';
import { Repair } from '../../upkeep/repair.js';
import type { Downstream, Source, StartFailure } from '../source.js';
import { ChannelMessages } from './channel-messages.js';
import { DeliveryMode } from './delivery-mode.js';
import { readEpoch } from './epoch.js';
import { Listener } from './listener.js';
import { Records } from './records.js';
import { Restarts } from './restarts.js';
import type { Session } from './session.js';
import { explainStart } from './start-failure.js';
import type { Status } from './status.js';
import { Store } from './store.js';
import { sweepInterval } from './sweep-interval.js';
import { Sweeper } from './sweeper.js';
import { UnreadableEvents } from './unreadable-events.js';
import { warmStart } from './warm-start.js';

export interface PostgresSourceOptions {
  options: ResolvedOptions;
  database: Database;
  /** Which of the instances this is. */
  instance: string;
}

/** Events that may wait for a slow `onReceive`, and their bytes. With more, stored events are left to the sweep. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

/** If the delivery of one event takes so many milliseconds more than a hook may take, health reports that delivery stands still. */
const STUCK = 10_000;

/** Events from PostgreSQL: NOTIFY brings them fast, sweeps find what NOTIFY did not bring, and the feed combines both into one order. */
export class PostgresSource extends Records implements Source {
  readonly order: string;
  readonly #options: ResolvedOptions;
  readonly #database: Database;
  readonly #feed: Feed;
  readonly #head: Head;
  readonly #store: Store;
  readonly #messages: ChannelMessages;
  readonly #listener: Listener;
  readonly #sweeper: Sweeper;
  readonly #restarts: Restarts;
  readonly #mode: DeliveryMode;
  readonly #pruner: Pruner;
  readonly #repair: Repair;
  #downstream: Downstream | undefined;
  readonly unanswered = 'the pool does not answer: events are delivered, and resumes from storage are not';
  #status: Status | undefined;

  constructor({ options, database, instance }: PostgresSourceOptions) {
    super(database.pool, instance, options.hookTimeout);
    this.order = instance;
    this.#options = options;
    this.#database = database;
    const { pool } = database;
    const { logger } = options;
    this.#feed = new Feed({
      maxWaiting: MAX_WAITING,
      maxWaitingBytes: MAX_WAITING_BYTES,
      turnBytes: options.maxClientBytes / 8,
      deliver: (envelope) => this.#stream.deliver(envelope),
      onLost: ({ id }) => logger.error({ event: id }, 'onReceive is too slow: an event without a row was dropped'),
      onFailed: ({ id, type }, err) => logger.error({ err, event: id, type }, `event ${id} could not be delivered`),
    });
    this.#head = new Head({ order: instance, feed: this.#feed, onOverflow: () => this.#sweeper.soon() });
    const unreadable = new UnreadableEvents(logger);
    this.#store = new Store({
      pool,
      // Only while sweeps deliver. While NOTIFY delivers, sweeps must use another connection: they find what is missed when the listening one is cut without notice.
      sweepSession: () => (this.#sweeper.fast ? this.#listener.session : undefined),
      ownSession: () => this.#listener.session,
      onUnreadable: (id) => unreadable.tell(id),
    });
    this.#repair = new Repair({ pool, logger });
    this.#restarts = new Restarts({
      pool,
      store: this.#store,
      feed: this.#feed,
      logger,
      downstream: () => this.#stream,
    });
    this.#mode = new DeliveryMode({
      pool,
      logger,
      events: () => this.#feed.taken,
      unstored: () => this.#feed.unstored,
      onSet: () => this.#sweeper.now(),
    });
    this.#messages = new ChannelMessages({
      logger,
      presence: options.presence,
      onEvents: (envelopes) => this.#feed.receive(envelopes),
      onPresence: (heard) => this.#stream.presenceChanged(heard),
    });
    this.#sweeper = this.#makeSweeper();
    this.#listener = this.#makeListener();
    this.#pruner = new Pruner({ pool, logger, interval: options.pruneInterval });
  }

  #makeSweeper(): Sweeper {
    const { logger, sweepInterval: longest } = this.#options;
    return new Sweeper({
      store: this.#store,
      feed: this.#feed,
      logger,
      longestInterval: longest,
      interval: (mode, empty) => sweepInterval(mode, empty, this.#listener.heard === true, longest),
      listening: () => this.#listener.connected,
      wasDelivered: (envelope) => this.#restarts.wasDelivered(envelope),
      onStatus: (status, since) => this.#onStatus(status, since),
      onRestart: (status) => {
        // Set before any event from after the restart is delivered.
        this.#status = status;
        return this.#restarts.onRestart(status);
      },
      onForeign: () => this.#repair.start(),
    });
  }

  #makeListener(): Listener {
    const { listen, logger, probeInterval } = this.#options;
    const probeTimeout = Math.max(1000, probeInterval / 3);
    return new Listener({
      database: listen,
      logger,
      probeInterval,
      probeTimeout,
      prepare: (client) => this.#prepare(client),
      notify: async (channel, payload) => {
        const query = { text: 'select pg_catalog.pg_notify($1, $2)', values: [channel, payload] };
        await ask(this.#database.pool, query, probeTimeout);
      },
      onMessage: (payload) => this.#messages.read(payload),
      onDoorbell: () => {
        // Events that are heard after the doorbell must not overtake those that the sweep will find.
        this.#feed.close();
        this.#sweeper.now();
      },
      onListening: () => {
        this.#stream.reconnected();
        this.#sweeper.now();
      },
      onLost: () => this.#feed.close(),
    });
  }

  get #stream(): Downstream {
    if (!this.#downstream) throw new Error('The source has not been started.');
    return this.#downstream;
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  get reached(): Frontier {
    return this.#feed.reached;
  }

  get position(): string {
    return this.#head.position;
  }

  get time(): number {
    const { frontier } = this.#feed;
    return frontier ? Math.floor(frontier.time + performance.now() - this.#sweeper.lastSuccess) : 0;
  }

  /** The status that the last sweep read. @throws before the start */
  get status(): Status {
    if (!this.#status) throw new Error('The source has not been started.');
    return this.#status;
  }

  /** The listening connection, once it is proved to be one session of PostgreSQL that only this instance uses. */
  get session(): Session | undefined {
    return this.#listener.session;
  }

  get failure(): unknown {
    return this.#listener.failure;
  }

  get delivering(): boolean {
    return this.#listener.heard === true && this.#sweeper.onTime;
  }

  get garbage(): number {
    return this.#messages.garbage;
  }

  explain(error: unknown): StartFailure {
    return explainStart(error);
  }

  next(envelope: Envelope): Item {
    return this.#head.next(envelope);
  }

  async start(downstream: Downstream, stopping: AbortSignal): Promise<void> {
    this.#downstream = downstream;
    // An error in the pool's configuration is thrown before anything waits for an answer.
    this.#database.open();
    await this.#listener.start();
    const { historyBytes, historyEvents, logger } = this.#options;
    const begun = { store: this.#store, feed: this.#feed, logger, downstream, historyBytes, historyEvents };
    const latest = await warmStart(begun, stopping);
    if (!latest || stopping.aborted) return;
    this.#status = latest.status;
    // Set only now: what onReceive did with earlier events was recorded when they were delivered.
    downstream.setActivity(latest.status.activity);
    this.#sweeper.start(latest.status);
    await this.#sweeper.next();
    if (stopping.aborted) return;
    this.#mode.start();
    this.#pruner.start();
  }

  /** On each new connection, before LISTEN. */
  async #prepare(client: pg.Client): Promise<void> {
    await requireSchema(client);
    await this.#repair.run(client);
    if (this.#store.epoch === '') this.#store.epoch = (await readEpoch(client)).short;
  }

  #onStatus(status: Status, since: Frontier): void {
    const { history } = this.#stream;
    this.#status = status;
    this.#restarts.forget();
    this.#mode.onStatus(status);
    history.stored = status.storage;
    // Storage was switched on again since the last sweep, or events were pruned that no sweep had read.
    if (since.isNew(status.prunedXid)) history.markIncompleteBefore(status.frontier.xmax);
    this.#stream.setActivity(status.activity);
    this.#listener.follow(status.channel);
  }

  async catchUp(): Promise<void> {
    await this.#sweeper.next();
    await this.#feed.settled();
  }

  readSince(...asked: Parameters<Store['readSince']>): ReturnType<Store['readSince']> {
    return this.#store.readSince(...asked);
  }

  /** Reads all stored events that are new since a frontier, for every audience. */
  readAll(...asked: Parameters<Store['readAll']>): ReturnType<Store['readAll']> {
    return this.#store.readAll(...asked);
  }

  readRecent(need: Need): Promise<Recent> {
    return this.#store.readRecent(need);
  }

  findings(): Finding[] {
    const longest = this.#options.hookTimeout + STUCK;
    return [...this.#listener.findings(), ...this.#sweeper.findings(), ...this.#feed.findings(longest)];
  }

  metrics(meter: Meter): void {
    for (const part of [
      this.#feed,
      this.#messages,
      this.#listener,
      this.#sweeper,
      this.#mode,
      this.#database,
      this.#pruner,
      this.acknowledger,
    ]) {
      part.metrics(meter);
    }
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#listener.stop(), this.#sweeper.stop(), this.#mode.stop(), this.#pruner.stop()]);
    // Stopped last, as the sweep that was running may have started a repair.
    await this.#repair.stop();
  }
}
