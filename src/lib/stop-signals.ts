/** Marks the listeners of all runtimes of the process, those of another copy of djr as well. */
const OURS = Symbol.for('djr.stopOn');

type Listener = NodeJS.SignalsListener & { [OURS]?: true };

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
    // Before all others: one that was added with `once` is no longer listed when it has been called.
    for (const signal of this.#signals) process.prependListener(signal, this.#onSignal);
  }

  /** Stops listening: the runtime has stopped. */
  off(): void {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
  }

  readonly #onSignal: Listener = Object.assign(
    (signal: NodeJS.Signals): void => {
      // A listener takes the signal's default effect away. If only runtimes of djr hear it, the last one that has stopped sends it again,
      // and the process ends by it.
      const alone = process.listeners(signal).every((listener: Listener) => listener[OURS]);
      void this.#stop().finally(() => {
        this.off();
        if (alone && process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    },
    { [OURS]: true as const },
  );
}
