/**
 * Does one piece of work after another, in order. Synchronous work is done at once, without a promise. The caller must watch
 * {@link length} and stop pushing when it grows.
 */
export class Serial<T> {
  readonly #work: (input: T) => void | Promise<void>;
  #waiting: T[] = [];
  #length = 0;
  #busy = false;
  #idle: (() => void)[] = [];
  /** `performance.now()` at which the current asynchronous piece of work began; undefined: there is none. */
  #since: number | undefined;

  /** @param work - must neither throw nor reject */
  constructor(work: (input: T) => void | Promise<void>) {
    this.#work = work;
  }

  /** How many pieces were pushed and have not begun yet. */
  get length(): number {
    return this.#length;
  }

  /** Milliseconds for which the current piece of work has been going on. */
  get busyFor(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  push(input: T): void {
    if (this.#busy) {
      this.#waiting.push(input);
      this.#length += 1;
      return;
    }
    this.#busy = true;
    const pending = this.#work(input);
    if (pending) void this.#drain(pending);
    else if (this.#waiting.length > 0) void this.#drain(undefined);
    else this.#busy = false;
  }

  async #drain(pending: Promise<void> | undefined): Promise<void> {
    this.#since = performance.now();
    await pending;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const input of batch) {
        this.#length -= 1;
        const next = this.#work(input);
        if (!next) continue;
        this.#since = performance.now();
        await next;
      }
    }
    this.#since = undefined;
    this.#busy = false;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  /** Resolves when everything that was pushed is done. */
  idle(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }
}
