import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Socket = IncomingMessage['socket'];

/** Requests that may lie unanswered behind a stream on one connection: no browser and no proxy sends any. */
const MAX_BEHIND = 1000;

/** The connections that carry a stream, and how many requests came behind it. Nearly all have none. */
const carrying = new WeakMap<Socket, { behind: number; gone: Promise<void> | undefined }>();

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
  const stream = carrying.get(socket);
  if (!stream) return undefined;
  stream.behind += 1;
  if (stream.behind > MAX_BEHIND) socket.destroy();
  stream.gone ??= new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
  return stream.gone;
}

/** This connection carries a stream from now on. */
export function carryStream(socket: Socket): void {
  carrying.set(socket, { behind: 0, gone: undefined });
}

/** Resolves when the answer to this request is the next on its connection; never where another one has no end. */
export async function turn(res: ServerResponse): Promise<void> {
  if (res.socket) return;
  await new Promise<void>((resolve) => listen(res, 'socket', resolve));
}
