import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Socket = IncomingMessage['socket'];

/** Requests that may lie unanswered behind a stream on one connection: no browser and no proxy sends any. */
const MAX_BEHIND = 1000;

/** What came behind a stream on its connection. */
interface Behind {
  count: number;
  gone: Promise<void>;
}

/** The connections that carry a stream, and what came behind it; null: nothing did, as behind nearly all. */
const carrying = new WeakMap<Socket, Behind | null>();

/** A response's own, whatever a middleware has made of `on`. */
export const listen = (emitter: EventEmitter, event: string, listener: () => void): void => {
  EventEmitter.prototype.on.call(emitter, event, listener);
};

/**
 * HTTP/1 answers the requests of a connection one after the other, so what a client has sent behind a stream is never answered,
 * and Node reports no end of it when the connection goes. It counts nowhere, and nobody is asked about it.
 *
 * @returns undefined when the request can be answered, else what resolves when the connection is gone
 */
export function behindStream(socket: Socket): Promise<void> | undefined {
  let behind = carrying.get(socket);
  if (behind === undefined) return undefined;
  if (behind === null) {
    const gone = new Promise<void>((resolve) => {
      if (socket.closed) resolve();
      else socket.once('close', () => resolve());
    });
    behind = { count: 0, gone };
    carrying.set(socket, behind);
  }
  behind.count += 1;
  if (behind.count > MAX_BEHIND) socket.destroy();
  return behind.gone;
}

/** This connection carries a stream from now on. */
export function carryStream(socket: Socket): void {
  carrying.set(socket, null);
}

/** Resolves when the answer to this request is the next on its connection; never where another one has no end. */
export async function turn(res: ServerResponse): Promise<void> {
  if (res.socket) return;
  await new Promise<void>((resolve) => listen(res, 'socket', resolve));
}
