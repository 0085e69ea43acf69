import { sleep } from './sleep.js';

export interface PeriodicOptions {
  /** Milliseconds from the beginning of one round to that of the next; a round that takes longer puts the next one off. */
  period: number | (() => number);
  /** One round, which must neither throw nor reject. @param stopping - aborted when the whole is stopped */
  round(stopping: AbortSignal): void | Promise<void>;
  /** Whether the first round begins at once, and not after one period. */
  atOnce?: boolean;
}

/** Work that is done time and again, one round at a time. It does not keep a process alive that has nothing else to do. */
export class Periodic {
  readonly #options: PeriodicOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  /** Does nothing where it has been started, or stopped, before. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { atOnce, period, round } = this.#options;
    for (let first = true; !stopping.aborted; first = false) {
      const began = performance.now();
      if (!first || atOnce) await round(stopping);
      const wait = typeof period === 'number' ? period : period();
      // What a round has missed that took longer is not caught up on.
      await sleep(Math.max(0, began + wait - performance.now()), stopping, false);
    }
  }

  /** Resolves when no round runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
