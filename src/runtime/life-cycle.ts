import type { Stage } from '../instance/stage.js';
import { inTime, orThrow } from '../lib/deadline.js';
import { codeOf } from '../lib/error-code.js';
import { DjrError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { OpenFiles } from '../lib/open-files.js';
import { StopSignals } from '../lib/stop-signals.js';
import type { ResolvedOptions } from '../options.js';
import type { Database } from '../postgres/database.js';
import type { Downstream, Source } from '../source/source.js';

export interface LifeCycleOptions {
  options: ResolvedOptions;
  /** Which of the instances this is. */
  instance: string;
  source: Source;
  /** Closed last. */
  database: Database;
}

/** What an instance is made of beside its source. */
export interface Parts {
  /** Where events go. */
  downstream: Downstream;
  /** What runs while events flow: started behind the source, and stopped before it, in the reverse order. */
  stages: readonly Stage[];
  /** What writes down what became of events: stopped when none comes any more. */
  recorders: readonly Stage[];
  /** What has clients: told to end as soon as the instance is. */
  fronts: readonly { stop(): Promise<unknown> }[];
}

/** Milliseconds that a request waits for the first connection. */
const READY_TIMEOUT = 5000;

/** Starts and stops an instance, once for all who ask. */
export class LifeCycle {
  /** Says in `metrics` when the process has no file left to open. */
  readonly openFiles: OpenFiles;
  /** Why the last start failed for good. */
  startFailure: unknown;
  readonly #options: LifeCycleOptions;
  readonly #logger: Logger;
  readonly #signals: StopSignals;
  /** What keeps it from starting, said once until it has started. */
  readonly #startLog: OnceLogger;
  readonly #abort = new AbortController();
  #parts: Parts = { downstream: undefined as never, stages: [], recorders: [], fronts: [] };
  #asked = false;
  #draining = false;
  #starting: Promise<void> | undefined;
  #started = false;
  #stopping: Promise<void> | undefined;

  constructor(options: LifeCycleOptions) {
    this.#options = options;
    this.#logger = options.options.logger;
    this.#startLog = new OnceLogger(this.#logger);
    this.openFiles = new OpenFiles(this.#logger);
    this.#signals = new StopSignals(options.options.stopOn, () => this.stop());
  }

  /** Before the first start: these are started with the source, and stopped with it. */
  own(parts: Parts): void {
    this.#parts = parts;
  }

  get state(): 'idle' | 'started' | 'draining' | 'stopping' {
    if (this.#stopping) return 'stopping';
    if (this.#draining) return 'draining';
    return this.#asked ? 'started' : 'idle';
  }

  /** @throws {@link DjrError} `DJR_STOPPED` */
  check(): void {
    if (this.#stopping) throw new DjrError('DJR_STOPPED', 'This realtime has been stopped.');
  }

  /** Resolves when events flow. @throws what no retry mends */
  async start(): Promise<void> {
    this.check();
    this.#asked = true;
    this.#signals.listen();
    this.#starting ??= this.#start().catch((err: unknown) => {
      this.#starting = undefined;
      this.startFailure = err;
      const { message } = this.#options.source.explain(err);
      if (!this.#stopping) this.#startLog.say('error', { err }, `the start failed. ${message}`);
      throw err;
    });
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { instance, source } = this.#options;
    const { downstream, recorders, stages } = this.#parts;
    this.openFiles.start();
    await source.start(downstream, this.#abort.signal);
    this.check();
    for (const stage of [...recorders, ...stages]) stage.start?.();
    this.startFailure = undefined;
    this.#started = true;
    this.#startLog.end('started');
    this.#logger.info({ instance }, 'listening for events');
  }

  /** Resolves when the instance has started. @throws also when that takes too long for a request */
  async ready(): Promise<void> {
    // Asked for each stream: a timer and a race for nothing.
    if (this.#started && !this.#stopping) return;
    const late = () => new DjrError('DJR_DATABASE', 'The database cannot be reached.');
    await orThrow(this.start(), READY_TIMEOUT, late);
  }

  /** Resolves when there is a stream to join, or with a sentence that says why there is none yet. */
  async unready(): Promise<string | undefined> {
    try {
      await this.ready();
      return undefined;
    } catch (error) {
      const { source } = this.#options;
      return source.explain(codeOf(error) === 'DJR_DATABASE' ? source.failure : error).told;
    }
  }

  /** From now on health says that the instance is to get no new clients. */
  drain(): void {
    this.#draining = true;
  }

  /** Resolves when nothing runs any more, or after `shutdownGrace`. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#abort.abort();
    const { shutdownGrace } = this.#options.options;
    await Promise.all([
      this.openFiles.stop(),
      ...this.#parts.fronts.map((front) => front.stop()),
      inTime(this.#stopBehind(), shutdownGrace),
    ]);
    this.#signals.off();
  }

  /** No event comes any more; then what was counted of them is written; then the ways to the database are closed. */
  async #stopBehind(): Promise<void> {
    const { database, source } = this.#options;
    const { recorders, stages } = this.#parts;
    await this.#stopAll([...stages].reverse());
    await source.stop();
    await this.#stopAll(recorders);
    await source.close();
    await database.end();
  }

  async #stopAll(stages: readonly Stage[]): Promise<void> {
    for (const stage of stages) {
      try {
        await stage.stop?.();
      } catch (err) {
        this.#logger.error({ err }, 'a part of the instance did not stop in order');
      }
    }
  }
}
