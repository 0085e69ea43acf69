import type { IncomingMessage } from 'node:http';

/** Bytes that are read and dropped, and milliseconds for it. */
const MOST = 4 * 1024 * 1024;
const TIME = 2000;

/**
 * A connection that is closed while bytes of it are unread is reset, and takes an answer along that the client has not
 * read. So what still comes is read and dropped, within bounds, before `end` is called.
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
