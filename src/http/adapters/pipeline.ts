import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Socket = IncomingMessage['socket'];

/** Requests that may wait unanswered behind a stream on one connection. Browsers and proxies send none. */
const MAX_BEHIND = 1000;

/** The requests that came after a stream on its connection. */
interface Behind {
  count: number;
  gone: Promise<void>;
}

/** The connections that carry a stream, and the requests that came after it; null: none, as for nearly all. */
const carrying = new WeakMap<Socket, Behind | null>();

/** Listens with the original `on`, which a middleware may have replaced on the response. */
export const listen = (emitter: EventEmitter, event: string, listener: () => void): void => {
  EventEmitter.prototype.on.call(emitter, event, listener);
};

/**
 * Whether a request came on a connection that carries a stream. HTTP/1 answers the requests of a connection one after the other, so such
 * a request is never answered, and Node does not report when its connection goes. It counts for no limit, and nobody is authenticated.
 *
 * @returns undefined if the request can be answered, else a promise that resolves when the connection is gone
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

/** Resolves when this request's answer is the next one on its connection; never, if an answer before it does not end. */
export async function turn(res: ServerResponse): Promise<void> {
  if (res.socket) return;
  await new Promise<void>((resolve) => listen(res, 'socket', resolve));
}
