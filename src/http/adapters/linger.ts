import type { IncomingMessage } from 'node:http';

/** Bytes that are read and dropped at most, and milliseconds for which they are. */
const MOST = 4 * 1024 * 1024;
const TIME = 2000;

/**
 * Reads and drops the rest of a request, within bounds, and then calls `end`. Closing a connection that has unread bytes resets it, and
 * the client would lose an answer that it has not read yet.
 */
export function linger(req: IncomingMessage, end: () => void): void {
  if (req.complete || req.destroyed) {
    end();
    return;
  }
  let left = MOST;
  const done = () => {
    clearTimeout(timer);
    req.off('data', drop).off('end', done).off('close', done);
    end();
  };
  const drop = (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) done();
  };
  const timer = setTimeout(done, TIME);
  req.on('data', drop).once('end', done).once('close', done);
}
