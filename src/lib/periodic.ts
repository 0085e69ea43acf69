import { sleep } from './sleep.js';

export interface PeriodicOptions {
  /** Milliseconds from the beginning of one round to the beginning of the next. If a round takes longer, the next one begins right after it. */
  period: number | (() => number);
  /** Does one round. It must neither throw nor reject. @param stopping - aborted when the work is to stop */
  round(stopping: AbortSignal): void | Promise<void>;
  /** Whether the first round begins at once, and not after one period. */
  atOnce?: boolean;
}

/** Repeats work, one round at a time. It does not keep a process alive that has nothing else to do. */
export class Periodic {
  readonly #options: PeriodicOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: PeriodicOptions) {
    this.#options = options;
  }

  /** Starts the rounds. Does nothing if it was started or stopped before. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  async #run(stopping: AbortSignal): Promise<void> {
    const { atOnce, period, round } = this.#options;
    for (let first = true; !stopping.aborted; first = false) {
      const began = performance.now();
      if (!first || atOnce) await round(stopping);
      const wait = typeof period === 'number' ? period : period();
      // If a round took longer than a period, the missed rounds are not made up for.
      await sleep(Math.max(0, began + wait - performance.now()), stopping, false);
    }
  }

  /** Resolves when no round runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
