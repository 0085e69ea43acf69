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
  /** The name of this instance. */
  instance: string;
  source: Source;
  /** It is closed last. */
  database: Database;
}

/** The parts of an instance beside its source. */
export interface Parts {
  /** The source delivers events to it. */
  downstream: Downstream;
  /** Parts that run while events flow: started after the source, and stopped before it in the reverse order. */
  stages: readonly Stage[];
  /** Parts that record what became of events: stopped when no event comes any more. */
  recorders: readonly Stage[];
  /** Parts that have clients: stopped as soon as the instance is told to stop. */
  fronts: readonly { stop(): Promise<unknown> }[];
}

/** Milliseconds that a request waits for the first connection. */
const READY_TIMEOUT = 5000;

/** Starts and stops an instance; however often it is asked, each happens once. */
export class LifeCycle {
  /** Reports in `metrics` when the process cannot open one more file. */
  readonly openFiles: OpenFiles;
  /** The error of the last start, if no retry can mend it. */
  startFailure: unknown;
  readonly #options: LifeCycleOptions;
  readonly #logger: Logger;
  readonly #signals: StopSignals;
  /** Logs once why the instance does not start, until it has started. */
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

  /** Sets the parts that are started and stopped with the source. Called before the first start. */
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

  /** Resolves when events flow. @throws an error that no retry can mend */
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

  /** Resolves when the instance has started. @throws the error of the start, or `DJR_DATABASE` if it takes too long for a request */
  async ready(): Promise<void> {
    // This is called for each stream, so once started it costs neither a timer nor a race.
    if (this.#started && !this.#stopping) return;
    const late = () => new DjrError('DJR_DATABASE', 'The database cannot be reached.');
    await orThrow(this.start(), READY_TIMEOUT, late);
  }

  /** Resolves when the instance has started, or with a sentence for the client that says why it has not. */
  async unready(): Promise<string | undefined> {
    try {
      await this.ready();
      return undefined;
    } catch (error) {
      const { source } = this.#options;
      return source.explain(codeOf(error) === 'DJR_DATABASE' ? source.failure : error).told;
    }
  }

  /** From now on health says that the instance should get no new clients. */
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

  /** First no event comes any more, then the last counts are written, and then the connections to the database are closed. */
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
