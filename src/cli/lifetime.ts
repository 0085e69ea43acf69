import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * What a long-running command has started. At the first SIGTERM, SIGINT or SIGHUP all of it is stopped, the last one first;
 * a second signal exits at once.
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

  readonly #onSignal = (signal: NodeJS.Signals) => {
    for (const each of SIGNALS) {
      process.off(each, this.#onSignal);
      process.once(each, () => process.exit(128 + constants.signals[signal]));
    }
    this.#end();
  };

  /** `stop` is called when the command ends, however it ends. */
  onStop(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  /** Ends the command as a signal would. */
  end(): void {
    this.#end();
  }

  /** Runs `start`, waits for the end, and stops all that was started, also when `start` fails or is still under way. */
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
    // A signal came first: whatever still tries to start has nobody left to serve.
    if (!started) process.exit(0);
  }
}
