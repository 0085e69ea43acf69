import { presenceStore } from '../../clients/topics/topic-store.js';
import type { Envelope } from '../../event/envelope.js';
import type { Item } from '../../event/item.js';
import type { Finding } from '../../instance/finding.js';
import { InstanceRow } from '../../instance/instance-row.js';
import { DjrError } from '../../lib/errors.js';
import type { Meter } from '../../lib/meter.js';
import { OnceLogger } from '../../lib/once-logger.js';
import { sleep } from '../../lib/sleep.js';
import { decodeCheckpoint } from '../../relay/checkpoint.js';
import type { RelayCredentials } from '../../relay/credentials.js';
import { Engine } from '../../relay/engine.js';
import { isRefusedLogin, REFUSED, UNREACHABLE } from '../../relay/library.js';
import { Recent } from '../../relay/recent.js';
import { Writer } from '../../relay/writer.js';
import type { Downstream } from '../../stream/downstream.js';
import { PostgresSource, type PostgresSourceOptions } from '../postgres/postgres-source.js';
import { Answers } from './answers.js';
import { LockElection, PostgresRing } from './marks.js';

export interface RelayedSourceOptions extends PostgresSourceOptions {
  relay: {
    servers: readonly string[];
    credentials?: RelayCredentials | undefined;
    namespace: string;
    maxAge?: number | undefined;
  };
  /** `onReceive`: edges get what it makes of an event. */
  receive(envelope: Envelope): Envelope | null | Promise<Envelope | null>;
}

/** Milliseconds to the next try to connect. */
const RETRY = 1000;

/** Milliseconds for which the log may have no checkpoint of any source before that is said. */
const SILENT = 5000;

/** Events as PostgreSQL has them, which come into the log of a relay as well. The engine is nothing that its clients need. */
export class RelayedSource extends PostgresSource {
  readonly #relayed: RelayedSourceOptions;
  readonly #recent = new Recent();
  readonly #onceLog: OnceLogger;
  readonly #stop = new AbortController();
  #capturing = false;
  #engine: Engine | undefined;
  #writer: Writer | undefined;
  #answers: Answers | undefined;
  #connecting: Promise<void> | undefined;
  /** Why there is no engine yet. */
  #outage = UNREACHABLE;

  constructor(options: RelayedSourceOptions) {
    super(options);
    this.#relayed = options;
    this.#onceLog = new OnceLogger(options.options.logger);
  }

  override async start(downstream: Downstream, stopping: AbortSignal): Promise<void> {
    await super.start(this.#tap(downstream), stopping);
    if (stopping.aborted) return;
    this.#connecting ??= this.#connect();
  }

  override next(envelope: Envelope): Item {
    const item = super.next(envelope);
    this.#take(envelope);
    return item;
  }

  #take(envelope: Envelope): void {
    if (!this.#capturing) return;
    if (this.#writer) this.#writer.take(envelope);
    else if (envelope.xid !== null && envelope.scope !== 'system') this.#recent.push(envelope);
  }

  /** What the instance is told, the relay is told. */
  #tap(downstream: Downstream): Downstream {
    return {
      history: downstream.history,
      get newest() {
        return downstream.newest;
      },
      deliver: (envelope) => {
        // What the hook makes of all others comes by way of `next`.
        if (envelope.scope === 'control') this.#take(envelope);
        return downstream.deliver(envelope);
      },
      remember: (stored) => downstream.remember(stored),
      setActivity: (level) => {
        downstream.setActivity(level);
        if (this.#capturing) return;
        // Told before the first sweep: from here on every event is one that the log may lack.
        this.#recent.startAt(this.reached, this.status.startedAt);
        this.#capturing = true;
      },
      presenceChanged: (topics) => {
        downstream.presenceChanged(topics);
        if (this.#writer?.leads) this.#tellPresence(topics);
      },
      reconnected: () => {
        downstream.reconnected();
        if (this.#writer?.leads) this.#tellPresence(null);
      },
      interrupted: () => downstream.interrupted(),
      replaced: () => {
        this.#recent.startAt(this.reached, this.status.startedAt);
        this.#writer?.renew();
        downstream.replaced();
      },
    };
  }

  #tellPresence(topics: readonly string[] | null): void {
    this.#engine?.send(this.#engine.subjects.tell('presence'), JSON.stringify(topics));
  }

  async #connect(): Promise<void> {
    const { instance, options, relay } = this.#relayed;
    const { logger } = options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#engine = await Engine.open({ ...relay, role: 'source', instance, logger });
        this.#onceLog.end('connected to the relay');
        break;
      } catch (err) {
        const isRefused = err instanceof DjrError && isRefusedLogin(err.cause);
        this.#outage = isRefused ? REFUSED : UNREACHABLE;
        // No time brings packages that are missing.
        if (err instanceof DjrError && !isRefused) {
          this.#outage = err.message;
          logger.error({ err }, err.hint ? `${err.message} ${err.hint}` : err.message);
          return;
        }
        this.#onceLog.say('error', { err }, 'cannot connect to the relay; will try again');
        await sleep(RETRY, signal);
      }
    }
    if (!this.#engine) return;
    if (signal.aborted) return this.#engine.close();
    this.#begin(this.#engine);
  }

  #begin(engine: Engine): void {
    const { database, options, receive, relay } = this.#relayed;
    const { subjects } = engine;
    const { pool } = database;
    const writer = new Writer({
      log: engine,
      subjects,
      logger: options.logger,
      recent: this.#recent,
      ring: new PostgresRing(pool, relay.namespace),
      election: new LockElection(() => this.session, relay.namespace),
      maxBytes: () => engine.maxBytes,
      sendLive: (subject, text) => engine.send(subject, text),
      outlet: {
        epoch: () => this.epoch,
        status: () => this.status,
        reached: () => this.reached,
        catchUp: () => this.catchUp(),
        readSince: (since, onBatch) =>
          this.readAll(since, async (stored) => {
            const received: Envelope[] = [];
            for (const one of stored) {
              const envelope = one.scope === 'control' ? one : await receive(one);
              if (envelope && envelope.scope !== 'system') received.push(envelope);
            }
            onBatch(received);
          }),
      },
    });
    this.#writer = writer;
    for (const subject of [subjects.checkpoint(), subjects.claim()]) {
      const isClaim = subject === subjects.claim();
      engine.follow(subjects.live(subject), ({ sequence, text }) => {
        writer.hear(decodeCheckpoint(text).term, isClaim ? sequence : undefined);
      });
    }
    this.#answers = new Answers({
      engine,
      source: this,
      writer,
      receive,
      rowOf: (edge) => new InstanceRow(pool, edge),
      presenceOf: (edge) => presenceStore(() => pool, edge),
    });
    this.#answers.start();
    writer.start();
  }

  override findings(): Finding[] {
    const findings = super.findings();
    if (!this.#connecting) return findings;
    const outage = this.#engine ? this.#engine.outage : this.#outage;
    if (outage !== undefined) {
      return [...findings, { check: 'relay', state: 'warning', reason: `${outage}: its edges get nothing` }];
    }
    const silent = (this.#writer?.silence ?? 0) > SILENT;
    const reason = 'no source writes the log of the relay: its edges get nothing';
    return [...findings, silent ? { check: 'relay', state: 'warning', reason } : { check: 'relay', state: 'ok' }];
  }

  override metrics(meter: Meter): void {
    super.metrics(meter);
    const writer = () => this.#writer;
    meter.gauge('djr_relay_connected', '1 while there is a connection to the relay', () =>
      Number(this.#engine?.connected ?? false),
    );
    meter.gauge('djr_relay_writes', '1 while this source writes the log of the relay', () =>
      Number(writer()?.leads ?? false),
    );
    meter.gauge('djr_relay_checkpoint_age_seconds', 'Since the last checkpoint of the relay came', () => {
      const silence = writer()?.silence;
      return silence === undefined ? undefined : silence / 1000;
    });
    meter.gauge('djr_relay_unacknowledged', 'Messages that the relay has not acknowledged', () => writer()?.waiting);
    meter.counter('djr_relay_appended_total', 'Messages that the relay has acknowledged', () => writer()?.appended);
    meter.counter(
      'djr_relay_takeovers_total',
      'Times that this source has taken the log over',
      () => writer()?.takeovers,
    );
    meter.counter(
      'djr_relay_generations_total',
      'Generations of the log that it has begun',
      () => writer()?.generations,
    );
    meter.counter(
      'djr_relay_too_large_total',
      'Events that were larger than the relay takes, and did not reach edges',
      () => writer()?.tooLarge,
    );
    meter.counter(
      'djr_relay_broken_total',
      'Times that the relay refused a message, or gave no answer',
      () => writer()?.broken,
    );
  }

  override async stop(): Promise<void> {
    this.#stop.abort();
    this.#answers?.stop();
    await this.#writer?.stop();
    await super.stop();
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#connecting;
    await this.#engine?.close();
  }
}
