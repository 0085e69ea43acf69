import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * The lifetime of a long-running command. At the first SIGTERM, SIGINT or SIGHUP everything that it has started is stopped, the last one
 * first. A second signal ends the process at once.
 */
export class Lifetime {
  readonly #stops: (() => unknown)[] = [];
  readonly #ended: Promise<void>;
  #end: () => void = () => {};

  constructor() {
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  readonly #onSignal = () => {
    for (const each of SIGNALS) {
      process.off(each, this.#onSignal);
      process.once(each, () => process.exit(128 + constants.signals[each]));
    }
    this.#end();
  };

  /** Registers a function that is called when the command ends, for whatever reason. */
  onStop(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  /** Ends the command as a signal would. */
  end(): void {
    this.#end();
  }

  /** Runs `start`, waits for the end, and stops everything that was started, even if `start` fails or is still running. */
  async run(start: () => Promise<void>): Promise<void> {
    let started = false;
    const starting = start().then(() => {
      started = true;
    });
    try {
      await Promise.race([starting, this.#ended]);
      if (started) await this.#ended;
    } finally {
      for (const stop of this.#stops.reverse()) await stop();
    }
    // A signal came before the start was complete, so what is still starting is not needed any more.
    if (!started) process.exit(0);
  }
}
