import type { Connection } from '../../clients/connection.js';

/** Bytes that the stream takes before it says that it is full. */
export const HIGH_WATER_MARK = 16 * 1024;

/** Milliseconds between two looks at whether the rest of a stream that has ended was taken: nobody tells. */
const LOOK = 50;

/** The body of a Response as a connection. Its reader may be a server that never says that the client has gone. */
export class FetchConnection implements Connection {
  onDrain: (() => void) | undefined = undefined;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  #written = 0;
  /** By whichever side. */
  #ended = false;
  #isGone = false;
  #onGone: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller;
  }

  /** Called when nobody reads it any more; at once where that is so already. */
  set onGone(onGone: () => void) {
    this.#onGone = onGone;
    if (this.#isGone) onGone();
  }

  /** False while anything waits: a reader that has gone without a word is known by what it does not take. */
  write(chunk: Buffer): boolean {
    if (this.#ended) return true;
    this.#written += chunk.length;
    this.#controller.enqueue(chunk);
    return this.buffered === 0;
  }

  /** The stream wants more, as it does behind each write: only where nothing waits has its reader taken all. */
  pulled(): void {
    if (this.buffered === 0) this.onDrain?.();
  }

  get buffered(): number {
    const wanted = this.#controller.desiredSize ?? HIGH_WATER_MARK;
    // A stream that was ended, and whose rest was taken, wants nothing.
    return this.#ended && wanted === 0 ? 0 : Math.max(0, HIGH_WATER_MARK - wanted);
  }

  get progress(): number {
    return this.#written - this.buffered;
  }

  end(within: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const until = performance.now() + within;
    this.#controller.close();
    if (this.buffered === 0) this.#gone();
    else {
      this.#timer = setInterval(() => {
        const late = performance.now() > until && this.buffered > 0;
        // Whoever has read before holds a client's connection, which ends by this. Who never has may still come for it.
        if (late && this.progress > 0) this.#controller.error(new Error('the client did not take the rest'));
        if (late || this.buffered === 0) this.#gone();
      }, LOOK).unref();
    }
  }

  destroy(): void {
    if (!this.#ended) this.#controller.error(new Error('the client did not keep up'));
    this.#ended = true;
    this.#gone();
  }

  /** The reader has let go of it. */
  cancelled(): void {
    this.#ended = true;
    this.#gone();
  }

  /** The request was aborted. */
  aborted(): void {
    if (!this.#ended) this.#controller.close();
    this.#ended = true;
    this.#gone();
  }

  #gone(): void {
    clearInterval(this.#timer);
    if (this.#isGone) return;
    this.#isGone = true;
    this.#onGone?.();
  }
}
