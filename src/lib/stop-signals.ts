/**
 * Stops a runtime at a signal. A server that waits for its open responses before it tells anybody that it ends would wait for the
 * streams for ever.
 */
export class StopSignals {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #stop: () => Promise<void>;
  #listening = false;

  constructor(signals: readonly NodeJS.Signals[], stop: () => Promise<void>) {
    this.#signals = signals;
    this.#stop = stop;
  }

  /** From now on signals are heard. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    for (const signal of this.#signals) process.on(signal, this.#onSignal);
  }

  /** From now on they are not: the runtime has stopped. */
  off(): void {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // A listener takes the signal's own effect away. Where it was ours alone, the process ends by it after all.
    const alone = process.listeners(signal).every((listener) => listener === this.#onSignal);
    void this.#stop().finally(() => {
      this.off();
      if (alone && process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  };
}
