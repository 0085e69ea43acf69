import { constants, type Http2ServerResponse } from 'node:http2';
import type { Connection } from '../../clients/connection.js';

/** Bytes that are written to HTTP/2 at a time: it reports a write only when all of it was sent. */
const SLICE = 16 * 1024;

/**
 * A response of HTTP/2 as a connection. The client's window may be small and open slowly, so bytes are written slice by slice. Their
 * progress is then seen, and a client that reads steadily but slowly is not closed as one that does not read.
 */
export class Http2Connection implements Connection {
  onDrain: (() => void) | undefined = undefined;
  readonly #response: Http2ServerResponse;
  #waiting: Buffer[] = [];
  #buffered = 0;
  #written = 0;
  /** Bytes of the slice that is under way. */
  #underWay = 0;
  #ending = false;

  constructor(response: Http2ServerResponse) {
    this.#response = response;
  }

  write(chunk: Buffer): boolean {
    if (this.#ending) return true;
    this.#written += chunk.length;
    this.#buffered += chunk.length;
    this.#waiting.push(chunk);
    if (this.#underWay === 0) this.#next();
    return this.#buffered <= SLICE;
  }

  #next(): void {
    const slice = this.#take();
    this.#underWay = slice.length;
    this.#response.write(slice, () => {
      this.#buffered -= this.#underWay;
      this.#underWay = 0;
      // If the write failed, the stream is gone, which its 'close' event reports.
      if (this.#response.stream?.destroyed) return;
      if (this.#waiting.length > 0) this.#next();
      else if (this.#ending) this.#response.stream.end();
      else this.onDrain?.();
    });
  }

  /** Takes the next slice: several small chunks together, or a part of a large one. */
  #take(): Buffer {
    const taken: Buffer[] = [];
    let room = SLICE;
    let count = 0;
    for (const chunk of this.#waiting) {
      if (chunk.length > room) {
        if (room > 0) {
          taken.push(chunk.subarray(0, room));
          this.#waiting[count] = chunk.subarray(room);
        }
        break;
      }
      taken.push(chunk);
      room -= chunk.length;
      count += 1;
    }
    this.#waiting.splice(0, count);
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken);
  }

  get buffered(): number {
    return this.#buffered;
  }

  get progress(): number {
    return this.#written - this.#buffered;
  }

  /** Ends the stream itself and not the response, whose `end()` a middleware may have wrapped, for example to save a session. */
  end(within: number): void {
    const { stream } = this.#response;
    if (this.#ending || !stream || stream.destroyed) return;
    this.#ending = true;
    if (this.#buffered === 0) stream.end();
    const timer = setTimeout(() => this.destroy(), within).unref();
    stream.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    const { stream } = this.#response;
    if (!stream || stream.destroyed) return;
    stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy();
  }
}
