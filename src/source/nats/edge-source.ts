import { hostname } from 'node:os';
import type { Acknowledgement } from '../../activity/acknowledger.js';
import type { Step } from '../../activity/counter.js';
import type { PresenceStore } from '../../clients/topics/presence.js';
import type { TopicStore } from '../../clients/topics/topic-store.js';
import type { Audience } from '../../event/audience.js';
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
import type { RelayCredentials } from '../../relay/credentials.js';
import { Engine } from '../../relay/engine.js';
import { request } from '../../relay/requests.js';
import type { Downstream } from '../../stream/downstream.js';
import type { Need, Recent } from '../../stream/resume/backlog.js';
import type { ResumeProgress, StoredEvents } from '../../stream/resume/source.js';
import type { Source, StartFailure } from '../source.js';
import { CatchUp } from './catch-up.js';
import { findingsOf, measureEdge } from './edge-metrics.js';
import { EdgeStorage } from './edge-storage.js';
import { EdgeStream } from './edge-stream.js';
import { remotePresence, remoteTopics } from './remote-stores.js';

export interface EdgeSourceOptions {
  relay: {
    servers: readonly string[];
    credentials?: RelayCredentials | undefined;
    namespace: string;
    interest: 'all' | 'own';
  };
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

/** Milliseconds to the next try to connect, and of a silence behind which the connection is made anew. */
const RETRY = 1000;
const DEAD = 4000;

/** Events as the log of the relay has them: an instance without a connection to PostgreSQL. */
export class EdgeSource implements Source {
  readonly topics: TopicStore;
  readonly presence: PresenceStore;
  readonly #options: EdgeSourceOptions;
  readonly #onceLog: OnceLogger;
  #engine: Engine | undefined;
  #stream: EdgeStream | undefined;
  #catchUp: CatchUp | undefined;
  #storage: EdgeStorage | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #stopped = false;
  #reconnectedAt = 0;

  constructor(options: EdgeSourceOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.topics = remoteTopics(() => this.#connected);
    this.presence = remotePresence(() => this.#connected, options.instance);
  }

  get #connected(): Engine {
    return started(this.#engine);
  }

  get #log(): EdgeStream {
    return started(this.#stream);
  }

  get order(): string {
    return this.#log.head.order;
  }

  get epoch(): string {
    return this.reached.epoch;
  }

  get reached(): Frontier {
    return this.#log.head.reached;
  }

  get position(): string {
    return this.#log.head.position;
  }

  get time(): number {
    return this.#stream?.time ?? 0;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Its clients would gain nothing elsewhere: an edge that nothing comes to is degraded, and never unhealthy for it. */
  get delivering(): boolean {
    return true;
  }

  get garbage(): number {
    return this.#stream?.follower.unreadable ?? 0;
  }

  explain(error: unknown): StartFailure {
    const message = error instanceof Error ? error.message : String(error);
    const told = this.#engine?.connected
      ? 'No source has written to the relay yet; try again.'
      : 'The relay cannot be reached yet; try again.';
    return { message, told, check: 'relay' };
  }

  next(envelope: Envelope): Item {
    return this.#log.head.next(envelope);
  }

  async start(downstream: Downstream, stopping: AbortSignal): Promise<void> {
    const { historyEvents, instance, logger, relay } = this.#options;
    this.#engine ??= await this.#open(stopping);
    const engine = this.#engine;
    if (!engine) return;
    // close() found no connection yet.
    if (stopping.aborted) return engine.close();
    const own = relay.interest === 'own' ? instance : undefined;
    this.#stream ??= new EdgeStream({ engine, downstream, logger, historyEvents, own });
    const { follower } = this.#stream;
    this.#catchUp ??= new CatchUp({
      follower,
      logger,
      flush: (milliseconds) => request(engine, 'flush', {}, milliseconds),
      isStopped: () => this.#stopped,
    });
    this.#storage ??= new EdgeStorage({
      engine,
      follower,
      history: downstream.history,
      catchUp: () => this.catchUp(),
      status: () => this.#log.status!,
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
          onBack: () => this.#stream?.back(),
        });
        this.#failure = undefined;
        this.#onceLog.end('connected to the relay');
        return engine;
      } catch (err) {
        if (err instanceof DjrError) throw err;
        this.#failure = err;
        this.#onceLog.say('error', { err }, 'cannot connect to the relay; will try again');
        await sleep(RETRY, stopping);
      }
    }
    return undefined;
  }

  #tick(): void {
    const stream = this.#stream;
    if (!stream || this.#stopped) return;
    stream.tick();
    // A cut without a word: nothing comes, and nothing says so for minutes.
    const now = performance.now();
    const isRecent = stream.follower.age < DEAD || now - this.#reconnectedAt < 2 * DEAD;
    if (isRecent || !this.#engine?.connected) return;
    this.#reconnectedAt = now;
    this.#probe().catch(() => this.#engine?.reconnect());
  }

  /** @throws when the engine does not answer */
  async #probe(): Promise<void> {
    await this.#connected.newest(this.#connected.subjects.claim(), false);
  }

  interest(audiences: Iterable<Audience>): Promise<() => void> {
    return this.#log.interest(audiences);
  }

  async catchUp(): Promise<void> {
    await started(this.#catchUp).run();
  }

  readSince(...asked: Parameters<StoredEvents['readSince']>): Promise<ResumeProgress | { reset: string }> {
    return started(this.#storage).readSince(...asked);
  }

  readRecent(need: Need): Promise<Recent> {
    return started(this.#storage).readRecent(need);
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

  get unanswered(): string {
    return 'no source of the relay answers: events are delivered, and acknowledgements and resumes from storage are not';
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
    return findingsOf({ engine: this.#engine, stream: this.#stream });
  }

  metrics(meter: Meter): void {
    measureEdge(meter, () => ({ engine: this.#engine, stream: this.#stream }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#stream?.follower.stop();
  }

  async close(): Promise<void> {
    await this.#engine?.close();
  }
}

/** @throws {@link DjrError} `DJR_STOPPED` before the start */
function started<T>(part: T | undefined): T {
  if (part === undefined) throw new DjrError('DJR_STOPPED', 'This realtime is not started.');
  return part;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
