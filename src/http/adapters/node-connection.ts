import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../../clients/connection.js';

/** The response's own, whatever has been put in its place. */
const END: (this: ServerResponse) => unknown = ServerResponse.prototype.end;

/**
 * A response of HTTP/1 as a connection. A class and no object literal: getters of a literal are new functions each time, and
 * give each connection a hidden class of its own, which every delivery would look up in vain.
 */
export class NodeConnection implements Connection {
  onDrain: (() => void) | undefined = undefined;
  readonly #response: ServerResponse;
  readonly #socket: IncomingMessage['socket'];
  /** Where bytes go: the socket itself where that is the response's own, and nothing else is written to it. */
  readonly #out: ServerResponse | IncomingMessage['socket'];
  #written = 0;

  constructor(response: ServerResponse, socket: IncomingMessage['socket'], raw: boolean) {
    this.#response = response;
    this.#socket = socket;
    this.#out = raw ? socket : response;
    // The response is the socket's current one: it waits for this, too, and may be wrapped by somebody who does not tell.
    socket.on('drain', () => this.onDrain?.());
  }

  write(chunk: Buffer): boolean {
    this.#written += chunk.length;
    this.#out.write(chunk);
    return !this.#socket.writableNeedDrain;
  }

  get buffered(): number {
    return this.#out.writableLength;
  }

  get progress(): number {
    // Of the chunk that the kernel takes piece by piece, Node tells only here, where its own time-outs look as well.
    const { _handle: handle } = this.#socket as { _handle?: { writeQueueSize?: number } | null };
    return this.#written - this.#out.writableLength - (handle?.writeQueueSize ?? 0);
  }

  /**
   * The end of the socket is the end of the answer. `end()` is not the response's own where a middleware has wrapped it:
   * express-session saves the session there as it was when the stream began, and undoes a logout.
   */
  end(within: number): void {
    if (this.#socket.destroyed) return;
    if (this.#response.chunkedEncoding) END.call(this.#response);
    else this.#socket.destroySoon();
    const timer = setTimeout(() => this.#socket.destroy(), within).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
