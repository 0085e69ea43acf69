import type { Connection } from '../../clients/connection.js';

/** Bytes that the stream takes before it reports that it is full. */
export const HIGH_WATER_MARK = 16 * 1024;

/** Milliseconds between two checks whether the rest of an ended stream was read: nothing reports it. */
const LOOK = 50;

/** The body of a Response as a connection. The server that reads it may never report that its client has gone. */
export class FetchConnection implements Connection {
  onDrain: (() => void) | undefined = undefined;
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  #written = 0;
  /** Whether either side has ended it. */
  #ended = false;
  #isGone = false;
  #onGone: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>) {
    this.#controller = controller;
  }

  /** Sets what is called when nobody reads the body any more; called at once if that is so already. */
  set onGone(onGone: () => void) {
    this.#onGone = onGone;
    if (this.#isGone) onGone();
  }

  /** @returns false while any byte waits, because a reader that has gone without a report is recognized only by what it does not read */
  write(chunk: Buffer): boolean {
    if (this.#ended) return true;
    this.#written += chunk.length;
    this.#controller.enqueue(chunk);
    return this.buffered === 0;
  }

  /** Called when the stream asks for more, which it does after each write as well. Only if nothing waits has the reader read everything. */
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
        // If the reader has read before, it holds a client's connection, which this ends. A reader that has read nothing yet may still begin.
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

  /** The reader has cancelled the stream. */
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
