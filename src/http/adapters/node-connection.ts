import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../../clients/connection.js';

/** The original method, which middlewares may have replaced on a response. */
const END: (this: ServerResponse) => unknown = ServerResponse.prototype.end;

/**
 * A response of HTTP/1 as a connection. It is a class because the getters of an object literal are new functions each time: each
 * connection would have a hidden class of its own, and V8 could not cache the lookups of a delivery.
 */
export class NodeConnection implements Connection {
  onDrain: (() => void) | undefined = undefined;
  readonly #response: ServerResponse;
  readonly #socket: IncomingMessage['socket'];
  /** What bytes are written to: the socket itself if nothing stands between it and the response, else the response. */
  readonly #out: ServerResponse | IncomingMessage['socket'];
  #written = 0;

  constructor(response: ServerResponse, socket: IncomingMessage['socket'], raw: boolean) {
    this.#response = response;
    this.#socket = socket;
    this.#out = raw ? socket : response;
    // The socket is listened to and not the response: a middleware that wraps the response may not pass 'drain' on.
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
    // The kernel takes a large chunk piece by piece. Only this field of the handle, which Node's own time-outs read as well, shows how far it is.
    const { _handle: handle } = this.#socket as { _handle?: { writeQueueSize?: number } | null };
    return this.#written - this.#out.writableLength - (handle?.writeQueueSize ?? 0);
  }

  /**
   * Ends the socket, which ends the answer. It does not call the response's `end()`, which a middleware may have wrapped: express-session
   * would save the session as it was when the stream began, and so undo a logout.
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
