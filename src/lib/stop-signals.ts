/**
 * Stops a runtime at a signal. A server that waits for its open responses before it tells other code that it ends would wait for the
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

  /** Begins to listen for the signals. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    for (const signal of this.#signals) process.on(signal, this.#onSignal);
  }

  /** Stops listening: the runtime has stopped. */
  off(): void {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // A listener takes the signal's default effect away. If ours was the only one, the signal is sent again, and the process ends by it.
    const alone = process.listeners(signal).every((listener) => listener === this.#onSignal);
    void this.#stop().finally(() => {
      this.off();
      if (alone && process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  };
}
