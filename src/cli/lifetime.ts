/**
 * What a long-running command has started. At the first SIGTERM or SIGINT all of it is stopped, the last one first;
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
    process.on('SIGTERM', this.#onSignal).on('SIGINT', this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    process.off('SIGTERM', this.#onSignal).off('SIGINT', this.#onSignal);
    const exitAtOnce = () => process.exit(signal === 'SIGINT' ? 130 : 143);
    process.once('SIGTERM', exitAtOnce).once('SIGINT', exitAtOnce);
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
