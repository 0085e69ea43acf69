import { randomBytes } from 'node:crypto';
import { ActivityCounter } from './activity/counter.js';
import { Admin } from './admin/admin.js';
import { AdminStore } from './admin/store.js';
import { Hub } from './clients/hub.js';
import { Presence } from './clients/topics/presence.js';
import { presenceStore, topicStore } from './clients/topics/topic-store.js';
import { Topics } from './clients/topics/topics.js';
import type { BatchOptions, ConsumeContext } from './consume/batch.js';
import { Consumers, type Consumption } from './consume/consumers.js';
import type { ConsumeOptions } from './consume/options.js';
import type { Detail, EventMap } from './event/event.js';
import { resetFrame } from './event/frame.js';
import type { UserId } from './event/user-id.js';
import { replace } from './hot.js';
import { type FetchHandler, fetchHandler } from './http/adapters/fetch.js';
import { type NodeHandler, nodeHandler } from './http/adapters/node.js';
import { Acknowledgements } from './http/endpoints/acknowledgements.js';
import { SCRIPTS } from './http/endpoints/assets.js';
import { HealthEndpoint } from './http/endpoints/health.js';
import { MetricsEndpoint } from './http/endpoints/metrics.js';
import { Streams } from './http/endpoints/stream.js';
import { Senders } from './http/guards/senders.js';
import { Router } from './http/router.js';
import { type ScriptTagOptions, scriptTag } from './http/script-tag.js';
import { DjrError } from './lib/errors.js';
import { guarded } from './lib/logger.js';
import { OnceLogger } from './lib/once-logger.js';
import { OpenFiles } from './lib/open-files.js';
import { StopSignals } from './lib/stop-signals.js';
import { type RealtimeOptions, type ResolvedOptions, resolveOptions } from './options.js';
import { disconnect, recheck } from './publish/orders.js';
import { type Publication, publish } from './publish/publisher.js';
import type { SqlClient } from './publish/sql-client.js';
import type { Realtime } from './realtime-interface.js';
import { Database } from './source/postgres/postgres-source.js';
import { explainStart } from './source/postgres/start-failure.js';
import { Delivery } from './stream/delivery.js';
import { Feed } from './stream/feed.js';
import { Head } from './stream/head.js';
import { History } from './stream/history.js';
import { Hooks, type Subscriber } from './stream/hooks.js';
import { Resume } from './stream/resume/resume.js';
import type { Health } from './telemetry/health.js';
import { Telemetry } from './telemetry/telemetry.js';

/**
 * Makes a runtime. It connects at the first request, subscription or `start()`.
 *
 * @typeParam Events - your event types and their details, for typed `publish` and `subscribe`
 * @throws {@link DjrError} `DJR_CONFIG` when an option is wrong
 */
export function createRealtime<Events extends EventMap = EventMap>(options: RealtimeOptions = {}): Realtime<Events> {
  const resolved = resolveOptions(options);
  const runtime = new Runtime({ ...resolved, logger: guarded(resolved.logger) });
  return (resolved.hot === undefined ? runtime : replace(resolved.hot, runtime)) as Realtime<Events>;
}

/** How many events may wait for a slow `onReceive` before stored ones are left to the sweep. */
const MAX_WAITING = 10_000;

/** Events whose activity may wait for the database, and (with `full`) users of them: some 10 MB. */
const MAX_ACTIVITY = 50_000;

/** Milliseconds beyond the longest `retry` that a page may take to come back, before its user has left. */
const PRESENCE_GRACE = 2000;

/** Milliseconds that a request waits for the first connection. */
const READY_TIMEOUT = 5000;

class Runtime implements Realtime {
  readonly handler: NodeHandler;
  readonly fetch: FetchHandler;
  readonly #options: ResolvedOptions;
  /** Tells this process from every other one, the same one before a restart included. */
  readonly #instance = BigInt(`0x${randomBytes(6).toString('hex')}`).toString(36);
  readonly #activity = new ActivityCounter(MAX_ACTIVITY);
  readonly #hooks: Hooks;
  readonly #history: History;
  readonly #feed: Feed;
  readonly #head: Head;
  readonly #delivery: Delivery;
  readonly #hub: Hub;
  readonly #consumers: Consumers;
  readonly #presence: Presence | undefined;
  readonly #topics: Topics;
  readonly #streams: Streams;
  readonly #telemetry: Telemetry;
  readonly #openFiles: OpenFiles;
  readonly #admin: Admin | undefined;
  readonly #signals: StopSignals;
  /** What keeps it from starting, said once until it has started. */
  readonly #startLog: OnceLogger;
  #database: Database | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #draining = false;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    const { logger } = options;
    this.#startLog = new OnceLogger(logger);
    this.#signals = new StopSignals(options.stopOn, () => this.stop());
    this.#hooks = new Hooks({ ...options, timeout: options.hookTimeout, activity: this.#activity });
    this.#history = new History(options.historyEvents, options.historyBytes);
    this.#feed = new Feed({
      maxWaiting: MAX_WAITING,
      turnBytes: options.maxClientBytes / 8,
      deliver: (envelope) => {
        this.#consumers.wake(envelope);
        return this.#delivery.deliver(envelope);
      },
      onLost: ({ id }) => logger.error({ event: id }, 'onReceive is too slow: an event without a row was dropped'),
      onFailed: ({ id, type }, err) => logger.error({ err, event: id, type }, `event ${id} could not be delivered`),
    });
    this.#consumers = new Consumers({ pool: () => this.#open().pool, logger, grace: options.shutdownGrace });
    this.#head = new Head({
      instance: this.#instance,
      feed: this.#feed,
      history: this.#history,
      onOverflow: () => this.#database?.sweeper.soon(),
    });
    const position = () => this.#head.position;
    this.#hub = new Hub({ ...options, position, activity: this.#activity });
    const resume = new Resume({
      history: this.#history,
      hub: this.#hub,
      instance: this.#instance,
      limit: options.resumeLimit,
      position,
      reached: () => this.#head.reached,
      catchUp: () => this.#connected().catchUp(),
      receive: (envelope) => this.#hooks.receive(envelope),
      onDone: (source, milliseconds) => this.#telemetry.metrics.resumed(source, milliseconds),
      source: () => this.#connected().store,
    });
    this.#presence = options.presence
      ? new Presence({
          store: presenceStore(() => this.#open().pool, this.#instance),
          hub: this.#hub,
          logger,
          grace: options.retry * 1.5 + PRESENCE_GRACE,
        })
      : undefined;
    this.#topics = new Topics({
      store: topicStore(() => this.#open().pool, options.hookTimeout),
      hub: this.#hub,
      presence: this.#presence,
      authorizeTopic: options.authorizeTopic,
      timeout: options.hookTimeout,
      logger,
      time: () => this.#connected().time,
    });
    this.#delivery = new Delivery({
      head: this.#head,
      history: this.#history,
      hooks: this.#hooks,
      hub: this.#hub,
      activity: this.#activity,
      hasOnReceive: options.onReceive !== undefined,
      order: (envelope) => {
        this.#topics.order(envelope).catch((err: unknown) => {
          logger.error({ err, event: envelope.id }, `${envelope.type} could not be carried out whole`);
        });
      },
      onDelivered: (createdAt) => this.#telemetry.delivered(createdAt),
    });
    this.#streams = new Streams({
      options,
      hub: this.#hub,
      hooks: this.#hooks,
      topics: this.#topics,
      resume,
      activity: this.#activity,
      logger,
      position,
      ready: () => this.#unready(),
      epoch: () => this.#connected().store.epoch,
      time: () => this.#connected().time,
    });
    this.#openFiles = new OpenFiles(logger);
    this.#telemetry = new Telemetry({
      options,
      openFiles: this.#openFiles,
      hub: this.#hub,
      feed: this.#feed,
      hooks: this.#hooks,
      history: this.#history,
      streams: this.#streams,
      topics: this.#topics,
      activity: this.#activity,
      consumers: this.#consumers,
      database: () => this.#database,
      stopping: () => this.#stopping !== undefined,
      draining: () => this.#draining,
    });
    this.#admin =
      options.admin &&
      new Admin({
        basePath: options.basePath,
        publicPath: options.publicPath,
        authorize: options.admin.authorize,
        hookTimeout: options.hookTimeout,
        logger,
        store: new AdminStore(() => this.#open().pool),
        hooks: this.#hooks,
        presence: options.presence,
        instance: this.#instance,
        series: this.#telemetry.series,
        health: () => this.health(),
        ready: () => this.#ready(),
      });
    const acknowledgements = new Acknowledgements({
      options,
      logger,
      ready: () => this.#ready(),
      acknowledge: (asked) => this.#connected().acknowledger.acknowledge(asked),
    });
    const { hookTimeout } = options;
    const { metrics } = this.#telemetry;
    const router = new Router({
      basePath: options.basePath,
      logger,
      senders: new Senders(options),
      endpoints: [
        this.#streams,
        acknowledgements,
        ...SCRIPTS,
        new HealthEndpoint({ access: options.health, hookTimeout, logger, health: () => this.health() }),
        new MetricsEndpoint({
          authorize: options.metrics?.authorize,
          hookTimeout,
          logger,
          metrics,
        }),
        ...(this.#admin ? [this.#admin] : []),
      ],
    });
    this.handler = nodeHandler(router);
    this.fetch = fetchHandler(router);
  }

  subscribe(
    typeOrSubscriber: string | ((event: never) => unknown),
    subscriber?: (event: never) => unknown,
  ): () => void {
    const type = typeof typeOrSubscriber === 'string' ? typeOrSubscriber : null;
    const own = typeof typeOrSubscriber === 'string' ? subscriber : typeOrSubscriber;
    if (typeof own !== 'function')
      throw new DjrError('DJR_CONFIG', 'subscribe must be given a function, or a type and one.');
    const unsubscribe = this.#hooks.subscribe(type, own as Subscriber);
    // It says itself why it cannot.
    this.start().catch(() => {});
    return unsubscribe;
  }

  consume(
    name: string,
    handler: (events: never, context: ConsumeContext) => unknown,
    options: ConsumeOptions = {},
  ): Consumption {
    if (this.#stopping) throw stopped();
    const consumption = this.#consumers.start(name, handler as BatchOptions['handler'], options);
    // It says itself why it cannot; the consumer looks from time to time until it can.
    this.start().catch(() => {});
    return consumption;
  }

  publish(publication: Publication, options?: { client?: SqlClient }): Promise<number>;
  async publish(
    publication: Publication<string, Detail, boolean>,
    options: { client?: SqlClient } = {},
  ): Promise<number | null> {
    return publish(options.client ?? this.#open().queryable, publication);
  }

  async disconnect(userId: UserId, reason?: string, options: { client?: SqlClient } = {}): Promise<void> {
    return disconnect(options.client ?? this.#open().queryable, userId, reason);
  }

  async recheck(userId?: UserId | null, topic?: string | null, options: { client?: SqlClient } = {}): Promise<void> {
    return recheck(options.client ?? this.#open().queryable, userId, topic);
  }

  scriptTag(options?: ScriptTagOptions): string {
    return scriptTag(this.#options.publicPath, options);
  }

  async start(): Promise<void> {
    if (this.#stopping) throw stopped();
    this.#signals.listen();
    this.#starting ??= this.#start().catch((err: unknown) => {
      this.#starting = undefined;
      this.#telemetry.startFailure = err;
      if (!this.#stopping) this.#startLog.say('error', { err }, `the start failed. ${explainStart(err).message}`);
      throw err;
    });
    return this.#starting;
  }

  drain(): void {
    this.#draining = true;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  health(): Health {
    return this.#telemetry.health();
  }

  metrics(): Promise<string> {
    return this.#telemetry.metrics.text();
  }

  #open() {
    if (this.#stopping) throw stopped();
    this.#database ??= this.#compose();
    return this.#database;
  }

  #connected() {
    if (!this.#database) throw new DjrError('DJR_STOPPED', 'This realtime is not started.');
    return this.#database;
  }

  #compose(): Database {
    return new Database({
      options: this.#options,
      feed: this.#feed,
      history: this.#history,
      activity: this.#activity,
      instance: this.#instance,
      read: (queueUsage) => this.#telemetry.read(queueUsage),
      onPresence: (topics) => this.#presence?.heard(topics),
      onListening: () => this.#presence?.resync(),
      onSwept: (milliseconds) => this.#telemetry.metrics.swept(milliseconds),
      remember: (stored) => this.#delivery.remember(stored),
      newest: () => this.#delivery.newest,
      onReplaced: () => {
        const frame = resetFrame('the database was replaced or restored', this.#head.position);
        for (const client of this.#hub.clients) client.write(frame);
      },
    });
  }

  async #start(): Promise<void> {
    this.#openFiles.start();
    await this.#open().start(() => this.#stopping !== undefined);
    if (this.#stopping) throw stopped();
    this.#presence?.start();
    this.#consumers.look();
    this.#telemetry.startFailure = undefined;
    this.#startLog.end('started');
    this.#options.logger.info({ instance: this.#instance }, 'listening to the database');
  }

  async #ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DjrError('DJR_DATABASE', 'The database cannot be reached.')), READY_TIMEOUT);
    });
    await Promise.race([this.start(), late]).finally(() => clearTimeout(timer));
  }

  /** @returns why there is no stream yet; undefined: there is one */
  async #unready(): Promise<string | undefined> {
    try {
      await this.#ready();
      return undefined;
    } catch (error) {
      const late = error instanceof DjrError && error.code === 'DJR_DATABASE';
      return explainStart(late ? this.#database?.listener.failure : error).told;
    }
  }

  async #stop(): Promise<void> {
    this.#openFiles.stop();
    const gone = this.#streams.stop();
    this.#admin?.stop();
    await Promise.all([gone, this.#stopDatabase()]);
    this.#signals.off();
  }

  async #stopDatabase(): Promise<void> {
    if (!this.#database) return;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.shutdownGrace);
    });
    const ended = Promise.all([this.#consumers.stop(), this.#presence?.stop()]).then(() => this.#database?.stop());
    await Promise.race([ended, grace]);
    clearTimeout(timer);
  }
}

const stopped = () => new DjrError('DJR_STOPPED', 'This realtime has been stopped.');
