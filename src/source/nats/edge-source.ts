import { hostname } from 'node:os';
import type { Acknowledgement } from '../../activity/acknowledger.js';
import type { Step } from '../../activity/counter.js';
import type { Client } from '../../clients/client.js';
import type { PresenceStore } from '../../clients/topics/presence.js';
import type { TopicStore } from '../../clients/topics/topic-store.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { Item } from '../../event/item.js';
import type { Finding } from '../../instance/finding.js';
import type { Reading } from '../../instance/series.js';
import { DjrError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';
import { OnceLogger } from '../../lib/once-logger.js';
import { sleep } from '../../lib/sleep.js';
import type { LogStatus } from '../../relay/checkpoint.js';
import { Engine, type RelayCredentials } from '../../relay/engine.js';
import { Follower, type Place } from '../../relay/follower.js';
import { request } from '../../relay/requests.js';
import type { Downstream } from '../../stream/downstream.js';
import type { Need, Recent } from '../../stream/resume/backlog.js';
import type { ResumeProgress } from '../../stream/resume/source.js';
import type { Source, StartFailure } from '../source.js';
import { EdgeHead } from './edge-head.js';
import { EdgeStorage } from './edge-storage.js';
import { remotePresence, remoteTopics } from './remote-stores.js';

export interface EdgeSourceOptions {
  relay: { servers: readonly string[]; credentials?: RelayCredentials | undefined; namespace: string };
  /** Events that the history has room for. */
  historyEvents: number;
  logger: Logger;
  /** Which of the instances this is. */
  instance: string;
}

/** The machine, and the process on it, as `djr.instance` has them. */
const HOST = `${hostname()} ${process.pid}`;

/** Milliseconds between two looks whether checkpoints come. */
const TICK = 250;

/** Milliseconds without a checkpoint after which an edge is worse than it should be. */
const OLD = 5000;

/** Milliseconds to the next try to connect, and of a silence behind which the connection is made anew. */
const RETRY = 1000;
const DEAD = 4000;

/** Milliseconds that a source may take to bring everything into the log. */
const FLUSH_TIMEOUT = 5000;

/** Events as the log of the relay has them: an instance without a connection to PostgreSQL. */
export class EdgeSource implements Source {
  readonly topics: TopicStore;
  readonly presence: PresenceStore;
  readonly #options: EdgeSourceOptions;
  readonly #head = new EdgeHead();
  readonly #onceLog: OnceLogger;
  #engine: Engine | undefined;
  #follower: Follower | undefined;
  #storage: EdgeStorage | undefined;
  #downstream: Downstream | undefined;
  #status: LogStatus | undefined;
  #movedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #stopped = false;
  #flushing: Promise<void> | undefined;
  #flushed: Promise<void> = Promise.resolve();
  #reconnectedAt = 0;

  constructor(options: EdgeSourceOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.topics = remoteTopics(() => this.#connected);
    this.presence = remotePresence(() => this.#connected, options.instance);
  }

  get #connected(): Engine {
    if (!this.#engine) throw new DjrError('DJR_STOPPED', 'This realtime is not started.');
    return this.#engine;
  }

  get #stream(): Downstream {
    if (!this.#downstream) throw new Error('The source has not been started.');
    return this.#downstream;
  }

  get #log(): Follower {
    if (!this.#follower) throw new DjrError('DJR_STOPPED', 'This realtime is not started.');
    return this.#follower;
  }

  get order(): string {
    return this.#head.order;
  }

  get epoch(): string {
    return this.#head.reached.epoch;
  }

  get reached(): Frontier {
    return this.#head.reached;
  }

  get position(): string {
    return this.#head.position;
  }

  get time(): number {
    const moved = this.#movedAt;
    return moved === 0 ? 0 : Math.floor(this.reached.time + performance.now() - moved);
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Its clients would gain nothing elsewhere: an edge that nothing comes to is degraded, and never unhealthy for it. */
  get delivering(): boolean {
    return true;
  }

  get garbage(): number {
    return this.#follower?.unreadable ?? 0;
  }

  explain(error: unknown): StartFailure {
    const message = error instanceof Error ? error.message : String(error);
    const told = this.#engine?.connected
      ? 'No source has written to the relay yet; try again.'
      : 'The relay cannot be reached yet; try again.';
    return { message, told, check: 'relay' };
  }

  next(envelope: Envelope): Item {
    return this.#head.next(envelope);
  }

  async start(downstream: Downstream, stopping: AbortSignal): Promise<void> {
    this.#downstream = downstream;
    this.#engine ??= await this.#open(stopping);
    const engine = this.#engine;
    if (!engine) return;
    // close() found no connection yet.
    if (stopping.aborted) return engine.close();
    this.#follower ??= this.#follow(engine);
    const follower = this.#follower;
    this.#storage ??= new EdgeStorage({
      engine,
      follower,
      history: downstream.history,
      catchUp: () => this.catchUp(),
      startedAt: () => this.#status?.startedAt ?? 0,
    });
    this.#timer ??= setInterval(() => this.#tick(), TICK);
    follower.look();
    await Promise.race([follower.until(() => true), aborted(stopping)]);
  }

  async #open(stopping: AbortSignal): Promise<Engine | undefined> {
    const { instance, logger, relay } = this.#options;
    while (!stopping.aborted) {
      try {
        const engine = await Engine.open({
          ...relay,
          role: 'edge',
          instance,
          logger,
          onBack: () => this.#onBack(),
        });
        this.#failure = undefined;
        this.#onceLog.end('connected to the relay');
        return engine;
      } catch (err) {
        if (err instanceof DjrError || isRefusedLogin(err)) throw err;
        this.#failure = err;
        this.#onceLog.say('error', { err }, 'cannot connect to the relay; will try again');
        await sleep(RETRY, stopping);
      }
    }
    return undefined;
  }

  #follow(engine: Engine): Follower {
    const { historyEvents, logger } = this.#options;
    const { subjects } = engine;
    const follower = new Follower({
      log: engine,
      subjects,
      logger,
      warm: historyEvents,
      onBegin: (frontier, status, sequence) => {
        const { history } = this.#stream;
        history.startAt(frontier.xmax, sequence);
        this.#move(frontier, status);
      },
      onSkip: (sequence) => this.#stream.history.markIncompleteUpTo(sequence),
      onBack: (xid, sequence) => {
        this.#stream.history.startAt(xid, sequence);
        // No id has a place in an order whose numbers come again.
        this.#head.place('0', sequence);
      },
      onGap: () => {
        this.#stream.history.startAt(Number.POSITIVE_INFINITY);
        this.#stream.interrupted();
      },
      onReplaced: () => {
        this.#stream.history.startAt(Number.POSITIVE_INFINITY);
        this.#replaced = true;
      },
      deliver: (envelope, place) => this.#deliver(envelope, place),
      onCheckpoint: (frontier, status) => this.#move(frontier, status),
    });
    engine.follow(subjects.live(subjects.log), (message) => follower.hear(message));
    engine.follow(subjects.tell('presence'), ({ text }) => {
      this.#stream.presenceChanged(JSON.parse(text) as string[] | null);
    });
    return follower;
  }

  /** Every client is told with the first frontier of the new history. */
  #replaced = false;

  #deliver(envelope: Envelope, place: Place | undefined): void {
    if (place) this.#head.place(place.generation + place.term, place.sequence);
    void this.#stream.deliver(envelope);
  }

  #move(frontier: Frontier, status: LogStatus): void {
    const { history } = this.#stream;
    this.#status = status;
    this.#movedAt = performance.now();
    history.stored = status.storage;
    history.restarted(status.startedAt);
    this.#stream.setActivity(status.activity);
    this.#head.moveTo(frontier);
    if (!this.#replaced) return;
    this.#replaced = false;
    this.#stream.replaced();
  }

  #onBack(): void {
    this.#follower?.look();
    this.#downstream?.reconnected();
  }

  #tick(): void {
    const follower = this.#follower;
    if (!follower || this.#stopped) return;
    follower.tick();
    // A cut without a word: nothing comes, and nothing says so for minutes.
    const now = performance.now();
    if (follower.age < DEAD || now - this.#reconnectedAt < 2 * DEAD || !this.#engine?.connected) return;
    this.#reconnectedAt = now;
    this.#probe().catch(() => this.#engine?.reconnect());
  }

  /** @throws when the engine does not answer */
  async #probe(): Promise<void> {
    await this.#connected.newest(this.#connected.subjects.claim(), false);
  }

  /** One question runs, and whoever asks meanwhile shares the next one: each is a sweep of the source. */
  catchUp(): Promise<void> {
    this.#flushing ??= this.#flushed.then(() => {
      this.#flushing = undefined;
      this.#flushed = this.#flush();
      return this.#flushed;
    });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    const follower = this.#log;
    while (!this.#stopped) {
      try {
        const { generation, sequence } = await request<{ generation: string; sequence: number }>(
          this.#connected,
          'flush',
          {},
          FLUSH_TIMEOUT,
        );
        await follower.until((placed) => placed.generation !== generation || placed.sequence >= sequence);
        return;
      } catch (err) {
        this.#options.logger.debug({ err }, 'no source has brought the log of the relay up to now; asking again');
        await sleep(RETRY / 2);
      }
    }
  }

  readSince(
    since: Frontier,
    client: Pick<Client, 'audiences' | 'types'>,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }> {
    return this.#read.readSince(since, client, from, onBatch);
  }

  readRecent(need: Need): Promise<Recent> {
    return this.#read.readRecent(need);
  }

  get #read(): EdgeStorage {
    if (!this.#storage) throw new DjrError('DJR_STOPPED', 'This realtime is not started.');
    return this.#storage;
  }

  acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<boolean[]> {
    return request(this.#connected, 'acknowledge', acknowledgements);
  }

  record(steps: readonly Step[]): Promise<number> {
    return request(this.#connected, 'record', steps);
  }

  ping(): Promise<number | null> {
    return request(this.#connected, 'ping', {});
  }

  /** Consumers are the sources' to serve. */
  get hasConsumers(): boolean {
    return false;
  }

  report(reading: Reading): Promise<void> {
    return request(this.#connected, 'report', { instance: this.#options.instance, host: HOST, reading });
  }

  withdraw(): Promise<void> {
    return request(this.#connected, 'withdraw', { instance: this.#options.instance });
  }

  findings(): Finding[] {
    const age = this.#follower?.age ?? Number.POSITIVE_INFINITY;
    if (age < OLD) return [{ check: 'relay', state: 'ok' }];
    const reason = this.#engine?.connected
      ? `no source has written to the relay for ${age === Number.POSITIVE_INFINITY ? 'as long as this edge runs' : `${Math.round(age / 1000)} s`}`
      : 'the relay cannot be reached';
    return [{ check: 'relay', state: 'warning', reason }];
  }

  metrics(meter: Meter): void {
    const follower = () => this.#follower;
    meter.gauge('djr_relay_checkpoint_age_seconds', 'Since the last checkpoint of the relay came', () => {
      const age = follower()?.age;
      return age === undefined || age === Number.POSITIVE_INFINITY ? undefined : age / 1000;
    });
    meter.gauge('djr_relay_connected', '1 while there is a connection to the relay', () =>
      Number(this.#engine?.connected ?? false),
    );
    meter.counter(
      'djr_relay_holes_total',
      'Times that messages of the relay did not come by themselves',
      () => follower()?.holes,
    );
    meter.counter(
      'djr_relay_fills_total',
      'Messages of the relay that were read, as they had not come',
      () => follower()?.fills,
    );
    meter.counter(
      'djr_relay_breaks_total',
      'Times that the log of the relay was another one',
      () => follower()?.breaks,
    );
    meter.counter(
      'djr_relay_unreadable_total',
      'Messages of the relay that could not be read',
      () => follower()?.unreadable,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#follower?.stop();
  }

  async close(): Promise<void> {
    await this.#engine?.close();
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** What no retry mends. */
const isRefusedLogin = (error: unknown): boolean =>
  error instanceof Error && /^(AuthorizationError|UserAuthenticationExpiredError)$/.test(error.name);
