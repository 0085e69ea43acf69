import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../delivery/connection.js';

/**
 * A response of node:http or HTTP/2 as a connection. A class and no object literal: getters of a literal are new functions
 * each time, and give each connection a hidden class of its own, which every delivery would look up in vain.
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
    this.#out.on('drain', () => this.onDrain?.());
  }

  write(chunk: Buffer): boolean {
    this.#written += chunk.length;
    return this.#out.write(chunk);
  }

  get buffered(): number {
    return this.#out.writableLength;
  }

  get progress(): number {
    // Of the chunk that the kernel takes piece by piece, Node tells only here, where its own time-outs look as well.
    const { _handle: handle } = this.#socket as { _handle?: { writeQueueSize?: number } | null };
    return this.#written - this.#out.writableLength - (handle?.writeQueueSize ?? 0);
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}
