import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { Acknowledger } from '../../activity/acknowledger.js';
import type { ActivityCounter } from '../../activity/counter.js';
import { ActivityWriter } from '../../activity/writer.js';
import { decodeMessage, type Envelope } from '../../event/envelope.js';
import { requireSchema } from '../../install/schema.js';
import { InstanceReporter } from '../../instance/reporter.js';
import type { Reading } from '../../instance/series.js';
import type { Logger } from '../../lib/logger.js';
import { OnceLogger } from '../../lib/once-logger.js';
import type { ResolvedOptions } from '../../options.js';
import { ANSWER_TIMEOUT } from '../../postgres/answer.js';
import { ask, asking } from '../../postgres/ask.js';
import type { Queryable } from '../../postgres/connect.js';
import { backoff, isHopeless, type OwnedPool, openPool, type Pool } from '../../postgres/connect.js';
import type { Feed } from '../../stream/feed.js';
import type { History } from '../../stream/history.js';
import { Pruner } from '../../upkeep/pruner.js';
import { Repair } from '../../upkeep/repair.js';
import { DeliveryMode } from './delivery-mode.js';
import { isRolledBack, readEpoch, renewEpoch } from './epoch.js';
import { Listener } from './listener.js';
import type { Status } from './status.js';
import { type Latest, Store } from './store.js';
import { Sweeper } from './sweeper.js';

export interface DatabaseOptions {
  options: ResolvedOptions;
  feed: Feed;
  history: History;
  activity: ActivityCounter;
  /** Which of the instances this is. */
  instance: string;
  /** What the instance says of itself, every few seconds. @param queueUsage - of NOTIFY, 0 to 1; null: not known */
  read(queueUsage: number | null): Reading;
  /** Who hears these topics has changed; null: more than a message names. */
  onPresence(topics: string[] | null): void;
  /** LISTEN is in force, for the first time or anew. */
  onListening(): void;
  /** A sweep succeeded. */
  onSwept(milliseconds: number): void;
  /** The stored event that was delivered last. */
  newest(): Envelope | undefined;
  /** Puts events of before the start into the history, through `onReceive`: the newest, and says how many of them. */
  remember(envelopes: readonly Envelope[]): Promise<number>;
  /** It was restored or replaced: ids from before it mean nothing any more, and the history is empty. */
  onReplaced(): void;
}

/** Milliseconds between two sweeps while delivery is `sweep`, and behind how many that found nothing it is more. */
const FAST_SWEEP = 5;
const IDLE_SWEEP = 10;
const IDLE = 20;

/** Milliseconds between two sweeps while nothing is heard. */
const DEAF_SWEEP = 250;

/** What `djr.report_presence` notifies; PostgreSQL's json_build_object writes a space before the colon. */
const PRESENCE = /^\{"presence"\s*:/;

/** Events whose row cannot be read that are told one by one. */
const MAX_UNREADABLE = 100;

/** Connections may be ended by the server while nobody uses them; the next query gets another one. */
const onIdleLoss = (logger: Logger) => (err: Error) => logger.debug({ err }, 'an idle connection was lost');

/** The database's side of one instance: the pool, and what listens, sweeps, decides the mode, records activity and prunes. */
export class Database {
  readonly store: Store;
  readonly listener: Listener;
  readonly sweeper: Sweeper;
  readonly mode: DeliveryMode;
  readonly pruner: Pruner;
  readonly activity: ActivityWriter;
  readonly reporter: InstanceReporter;
  readonly acknowledger: Acknowledger;
  /** Messages on the channel that could not be read. */
  garbage = 0;
  readonly #options: DatabaseOptions;
  readonly #pool: OwnedPool;
  readonly #repair: Repair;
  readonly #stop = new AbortController();
  /** What history knew when PostgreSQL was started anew, until a sweep has succeeded since. */
  readonly #deliveredBeforeRestart = new Set<string>();
  /** Events that were said to be unreadable. */
  readonly #unreadable = new Set<string>();

  constructor(database: DatabaseOptions) {
    this.#options = database;
    const { feed, history, options, activity } = database;
    const { logger, listen, sweepInterval, probeInterval, pruneInterval } = options;
    this.#pool = openPool(options.pool, onIdleLoss(logger));
    // Not while NOTIFY delivers: then sweeps are what is left when this very connection is cut in silence.
    this.store = new Store(
      this.pool,
      () => (this.sweeper.fast ? this.listener.session : undefined),
      (id) => this.#onUnreadable(id),
      () => this.listener.session,
    );
    const probeTimeout = Math.max(1000, probeInterval / 3);
    this.#repair = new Repair({ pool: this.pool, logger });
    this.mode = new DeliveryMode({
      pool: this.pool,
      logger,
      events: () => feed.taken,
      unstored: () => feed.unstored,
      onSet: () => this.sweeper.now(),
    });
    this.sweeper = new Sweeper({
      store: this.store,
      feed,
      logger,
      interval: (current, empty) => {
        if (current === 'sweep') return empty < IDLE ? FAST_SWEEP : IDLE_SWEEP;
        // Until a probe was heard nobody knows whether NOTIFY comes.
        return this.listener.heard ? sweepInterval : Math.min(DEAF_SWEEP, sweepInterval);
      },
      listening: () => this.listener.connected,
      wasDelivered: (envelope) => this.#deliveredBeforeRestart.has(identity(envelope)),
      onStatus: (status, since) => {
        this.#deliveredBeforeRestart.clear();
        this.mode.onStatus(status);
        history.stored = status.storage;
        // Storage was off since the sweep before this one, or something was pruned that no sweep had seen.
        if (since.isNew(status.prunedXid)) history.markIncompleteBefore(status.frontier.xmax);
        activity.level = status.activity;
        this.listener.follow(status.channel);
      },
      onRestart: (status) => this.#onRestart(status),
      onForeign: () => this.#repair.start(),
      onSwept: database.onSwept,
    });
    this.listener = new Listener({
      database: listen,
      logger,
      probeInterval,
      probeTimeout,
      prepare: (client) => this.#prepare(client),
      notify: async (channel, payload) => {
        const query = { text: 'select pg_catalog.pg_notify($1, $2)', values: [channel, payload] };
        await ask(this.pool, query, probeTimeout);
      },
      onMessage: (payload) => this.#onMessage(payload),
      onDoorbell: () => {
        // What is heard behind it must not pass what the sweep is to find.
        feed.close();
        this.sweeper.now();
      },
      onListening: () => {
        database.onListening();
        this.sweeper.now();
      },
      onLost: () => feed.close(),
    });
    this.pruner = new Pruner({ pool: this.pool, logger, interval: pruneInterval });
    this.acknowledger = new Acknowledger(this.pool, database.instance);
    this.activity = new ActivityWriter({ pool: this.pool, logger, counter: activity, instance: database.instance });
    this.reporter = new InstanceReporter({ pool: this.pool, logger, instance: database.instance, read: database.read });
  }

  get pool(): Pool {
    return this.#pool.pool;
  }

  /** For statements of the app's, which have no time-out. */
  get queryable(): Queryable {
    return asking(this.pool);
  }

  /** What its clock says now, at least: this machine's may say anything. Milliseconds since 1970. */
  get time(): number {
    const { frontier } = this.#options.feed;
    return frontier ? Math.floor(frontier.time + performance.now() - this.sweeper.lastSuccess) : 0;
  }

  /** Resolves when events flow. @param stopping - true once the instance has been told to stop meanwhile */
  async start(stopping: () => boolean): Promise<void> {
    await this.listener.start();
    const latest = await this.#latest(stopping);
    if (!latest || stopping()) return;
    await this.#warm(latest.status, latest.envelopes);
    if (stopping()) return;
    // What onReceive made of the events before this start has been told already.
    this.#options.activity.level = latest.status.activity;
    this.activity.start();
    this.sweeper.start(latest.status);
    await this.sweeper.next();
    if (stopping()) return;
    this.mode.start();
    this.pruner.start();
    this.reporter.start();
  }

  /** Resolves when all that is visible now has been delivered. */
  async catchUp(): Promise<void> {
    await this.sweeper.next();
    await this.#options.feed.settled();
  }

  /** What the stream begins with, tried until PostgreSQL, which was there a moment ago, answers. */
  async #latest(stopping: () => boolean): Promise<Latest | undefined> {
    const { logger, historyEvents } = this.#options.options;
    const onceLog = new OnceLogger(logger);
    for (let failures = 1; !stopping(); failures += 1) {
      try {
        return await this.store.latest(historyEvents);
      } catch (err) {
        if (isHopeless(err)) throw err;
        onceLog.say('error', { err, failures }, 'cannot read the latest events; will try again');
        await setTimeout(backoff(failures), undefined, { signal: this.#stop.signal }).catch(() => {});
      }
    }
    return undefined;
  }

  /** The stream begins here, with what storage has of the time before in memory for clients that come back. */
  async #warm(status: Status, envelopes: Envelope[]): Promise<void> {
    const { feed, history, options, remember } = this.#options;
    const all = envelopes.length < options.historyEvents;
    const oldest = envelopes[0]?.xid ?? status.frontier.xmax;
    // Of the oldest transaction a part may be missing; without room for any event all of it is.
    history.startAt(Math.max(status.prunedXid, all ? 0 : oldest) + 1);
    history.restarted(status.startedAt);
    feed.startAt(status.frontier);
    const remembered = await remember(envelopes);
    // Of the transaction of the last one that was left out a part may be remembered.
    const left = envelopes[envelopes.length - remembered - 1];
    if (left) history.markIncompleteBefore(left.xid! + 1);
  }

  /** On each new connection, before LISTEN. */
  async #prepare(client: pg.Client): Promise<void> {
    await requireSchema(client);
    await this.#repair.run(client);
    if (this.store.epoch === '') this.store.epoch = (await readEpoch(client)).short;
  }

  async #onRestart(status: Status): Promise<void> {
    const { feed, history, onReplaced, options } = this.#options;
    const client = asking(this.pool, ANSWER_TIMEOUT);
    let known = await readEpoch(client);
    if (known.short === this.store.epoch && (await isRolledBack(client, this.#options.newest()))) {
      known = await renewEpoch(client, known);
    }
    const epoch = known.short;
    for (const { envelope } of history.all()) this.#deliveredBeforeRestart.add(identity(envelope));
    history.restarted(status.startedAt);
    if (epoch === this.store.epoch) return;
    this.store.epoch = epoch;
    history.startAt(Number.POSITIVE_INFINITY);
    // Before anything else is delivered: a frame of the old epoch would be answered with another `reset`.
    await feed.rebase(status.frontier.inEpoch(epoch));
    options.logger.error({}, 'the database was replaced or restored; every client is told to fetch its state anew');
    onReplaced();
  }

  /** Says so once: every reading comes upon it again. */
  #onUnreadable(id: string): void {
    if (this.#unreadable.has(id) || this.#unreadable.size >= MAX_UNREADABLE) return;
    this.#unreadable.add(id);
    const message =
      'an event cannot be read and is not delivered: its id or its time is out of range. Delete it by hand';
    this.#options.options.logger.error({ event: id }, message);
  }

  #onMessage(payload: string): void {
    const { feed, options } = this.#options;
    if (PRESENCE.test(payload)) {
      if (options.presence) this.#onPresence(payload);
      return;
    }
    let envelopes: Envelope[];
    try {
      envelopes = decodeMessage(payload);
    } catch (err) {
      this.#dropped(err);
      return;
    }
    feed.receive(envelopes);
  }

  #onPresence(payload: string): void {
    try {
      const { presence } = JSON.parse(payload) as { presence: unknown };
      const topics = Array.isArray(presence) ? presence.filter((topic) => typeof topic === 'string') : null;
      this.#options.onPresence(topics);
    } catch (err) {
      this.#dropped(err);
    }
  }

  #dropped(err: unknown): void {
    this.garbage += 1;
    this.#options.options.logger.warn(
      { err, count: this.garbage },
      'dropped a message on the channel that is not ours',
    );
  }

  /** Resolves when nothing runs any more and the pool, where it is ours, is closed. */
  async stop(): Promise<void> {
    const { listener, sweeper, mode, pruner, reporter } = this;
    this.#stop.abort();
    await Promise.allSettled([listener.stop(), sweeper.stop(), mode.stop(), pruner.stop(), reporter.stop()]);
    // Last, as the sweep that ran may have handed events on, or found what is to be repaired.
    await Promise.all([this.activity.stop(), this.acknowledger.stop(), this.#repair.stop()]);
    await this.#pool.end();
  }
}

/** Tells an event from one that has its number in another history of the database. */
const identity = ({ id, xid, createdAt }: Envelope): string => `${id} ${xid} ${createdAt}`;
