import { randomBytes } from 'node:crypto';
import { AdminStore } from './database/admin-store.js';
import { Database } from './database/database.js';
import { type Publication, publish, type Queryable } from './database/publisher.js';
import type { Envelope } from './delivery/envelope.js';
import { Feed } from './delivery/feed.js';
import { resetFrame } from './delivery/frame.js';
import { History, Item } from './delivery/history.js';
import { Hooks, type Subscriber } from './delivery/hooks.js';
import { Hub } from './delivery/hub.js';
import { packPosition } from './delivery/position.js';
import { Resume } from './delivery/resume.js';
import { Tally } from './delivery/tally.js';
import { DjrError } from './errors.js';
import type { EventMap } from './event.js';
import { Acknowledgements } from './http/acknowledgements.js';
import { Admin } from './http/admin/admin.js';
import { type FetchHandler, fetchHandler } from './http/fetch.js';
import { Handler } from './http/handler.js';
import type { Health } from './http/health.js';
import { type NodeHandler, nodeHandler } from './http/node.js';
import { Streams } from './http/stream.js';
import { guarded } from './logger.js';
import { OpenFiles } from './open-files.js';
import { type RealtimeOptions, type ResolvedOptions, resolveOptions } from './options.js';
import type { Realtime } from './realtime-interface.js';
import { type ScriptTagOptions, scriptTag } from './script-tag.js';
import { Vitals } from './vitals.js';

/**
 * Makes a runtime. It connects at the first request, subscription or `start()`.
 *
 * @typeParam Events - your event types and their details, for typed `publish` and `subscribe`
 * @throws {@link DjrError} `DJR_CONFIG` when an option is wrong
 */
export function createRealtime<Events extends EventMap = EventMap>(options: RealtimeOptions = {}): Realtime<Events> {
  const resolved = resolveOptions(options);
  return new Runtime({ ...resolved, logger: guarded(resolved.logger) }) as Realtime<Events>;
}

/** How many events may wait for a slow `onReceive` before stored ones are left to the sweep. */
const MAX_WAITING = 10_000;

/** Events whose activity may wait for the database, and (with `full`) users of them: some 10 MB. */
const MAX_ACTIVITY = 50_000;

/** Milliseconds that a request waits for the first connection. */
const READY_TIMEOUT = 5000;

class Runtime implements Realtime {
  readonly handler: NodeHandler;
  readonly fetch: FetchHandler;
  readonly #options: ResolvedOptions;
  /** Tells this process from every other one, the same one before a restart included. */
  readonly #instance = BigInt(`0x${randomBytes(6).toString('hex')}`).toString(36);
  readonly #tally = new Tally(MAX_ACTIVITY);
  readonly #hooks: Hooks;
  readonly #history: History;
  readonly #feed: Feed;
  readonly #hub: Hub;
  readonly #streams: Streams;
  readonly #vitals: Vitals;
  readonly #openFiles: OpenFiles;
  readonly #admin: Admin | undefined;
  #database: Database | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #draining = false;
  #sequence = 0;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    const { logger } = options;
    this.#hooks = new Hooks({ ...options, timeout: options.hookTimeout, tally: this.#tally });
    this.#history = new History(options.historyEvents, options.historyBytes);
    this.#feed = new Feed({
      maxWaiting: MAX_WAITING,
      turnBytes: options.maxClientBytes / 8,
      handOn: (envelope) => this.#handOn(envelope),
      onLost: ({ id }) => logger.error({ event: id }, 'onReceive is too slow: an event that is not stored was dropped'),
    });
    const position = () => this.#position();
    this.#hub = new Hub({ ...options, position, tally: this.#tally });
    const resume = new Resume({
      history: this.#history,
      hub: this.#hub,
      instance: this.#instance,
      limit: options.resumeLimit,
      position,
      reached: () => this.#feed.reached,
      catchUp: () => this.#connected().catchUp(),
      receive: (envelope) => this.#hooks.receive(envelope),
      onDone: (source, milliseconds) => this.#vitals.metrics.resumed(source, milliseconds),
      source: () => this.#connected().store,
    });
    this.#streams = new Streams({
      options,
      hub: this.#hub,
      hooks: this.#hooks,
      resume,
      tally: this.#tally,
      logger,
      position,
      ready: () => this.#ready(),
      epoch: () => this.#connected().store.epoch,
      time: () => this.#connected().time,
    });
    this.#openFiles = new OpenFiles(logger);
    this.#vitals = new Vitals({
      options,
      openFiles: this.#openFiles,
      hub: this.#hub,
      feed: this.#feed,
      hooks: this.#hooks,
      history: this.#history,
      streams: this.#streams,
      tally: this.#tally,
      database: () => this.#database,
      stopping: () => this.#stopping !== undefined,
      draining: () => this.#draining,
    });
    this.#admin =
      options.admin &&
      new Admin({
        basePath: options.basePath,
        authorize: options.admin.authorize,
        logger,
        store: new AdminStore(() => this.#open().pool),
        hooks: this.#hooks,
        instance: this.#instance,
        series: this.#vitals.series,
        health: () => this.health(),
        ready: () => this.#ready(),
      });
    const handler = new Handler({
      basePath: options.basePath,
      streams: this.#streams,
      metrics: this.#vitals.metrics,
      admin: this.#admin,
      acknowledgements: new Acknowledgements({
        options,
        logger,
        ready: () => this.#ready(),
        acknowledge: (asked) => this.#connected().acknowledger.acknowledge(asked),
      }),
      health: () => this.health(),
    });
    this.handler = nodeHandler(handler);
    this.fetch = fetchHandler(handler);
  }

  subscribe(
    typeOrSubscriber: string | ((event: never) => unknown),
    subscriber?: (event: never) => unknown,
  ): () => void {
    const type = typeof typeOrSubscriber === 'string' ? typeOrSubscriber : null;
    const own = typeof typeOrSubscriber === 'string' ? subscriber : typeOrSubscriber;
    if (typeof own !== 'function') throw new DjrError('DJR_CONFIG', 'subscribe takes a function, or a type and one.');
    const unsubscribe = this.#hooks.subscribe(type, own as Subscriber);
    this.start().catch((err: unknown) => this.#options.logger.error({ err }, 'a subscription cannot be served'));
    return unsubscribe;
  }

  async publish(publication: Publication, options: { client?: Queryable } = {}): Promise<number> {
    return publish(options.client ?? this.#open().queryable, publication);
  }

  scriptTag(options?: ScriptTagOptions): string {
    return scriptTag(this.#options.basePath, options);
  }

  async start(): Promise<void> {
    if (this.#stopping) throw stopped();
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      this.#vitals.startFailure = error;
      throw error;
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
    return this.#vitals.health();
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
      tally: this.#tally,
      instance: this.#instance,
      read: (queueUsage) => this.#vitals.read(queueUsage),
      onSwept: (milliseconds) => this.#vitals.metrics.swept(milliseconds),
      remember: async (stored) => {
        const envelope = await this.#hooks.receive(stored);
        if (envelope) this.#history.push(this.#item(envelope));
      },
      onReplaced: () => {
        const frame = resetFrame('the database was replaced or restored', this.#position());
        for (const client of this.#hub.clients) client.write(frame);
      },
    });
  }

  async #start(): Promise<void> {
    this.#openFiles.start();
    await this.#open().start(() => this.#stopping !== undefined);
    if (this.#stopping) throw stopped();
    this.#vitals.startFailure = undefined;
    this.#options.logger.info({ instance: this.#instance }, 'listening to the database');
  }

  #handOn(envelope: Envelope): void | Promise<void> {
    const received = this.#hooks.receive(envelope);
    if (received instanceof Promise) return received.then((event) => this.#deliver(event));
    this.#deliver(received);
  }

  #deliver(envelope: Envelope | null): void {
    if (envelope === null) return;
    const item = this.#item(envelope);
    this.#history.push(item);
    this.#tally.dispatched(envelope);
    this.#vitals.handedOn(envelope.createdAt);
    this.#hooks.emit(envelope);
    this.#hub.deliver(item);
  }

  #item(envelope: Envelope): Item {
    this.#sequence += 1;
    return new Item(this.#sequence, envelope, packPosition(this.#instance, this.#sequence, this.#feed.reached));
  }

  #position(): string {
    return packPosition(this.#instance, this.#history.lastSequence, this.#feed.reached);
  }

  async #ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DjrError('DJR_DATABASE', 'The database cannot be reached.')), READY_TIMEOUT);
    });
    await Promise.race([this.start(), late]).finally(() => clearTimeout(timer));
  }

  async #stop(): Promise<void> {
    this.#openFiles.stop();
    this.#streams.stop();
    this.#admin?.stop();
    if (!this.#database) return;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.shutdownGrace);
    });
    const ended = this.#database.stop();
    await Promise.race([ended, grace]);
    clearTimeout(timer);
  }
}

const stopped = () => new DjrError('DJR_STOPPED', 'This realtime has been stopped.');
