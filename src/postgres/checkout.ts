import type pg from 'pg';
import { isPromiseLike } from '../lib/deadline.js';
import type { Pool } from './connect.js';

export interface CheckedOut {
  readonly client: pg.PoolClient;
  /** Rejects as soon as the connection is lost. */
  unlessLost<T>(work: Promise<T>): Promise<T>;
  /** @param failure - the connection is closed instead of being used again */
  release(failure?: Error): void;
}

/**
 * A connection whose loss rejects what `unlessLost` waits for. The pool listens on idle connections only, and one lost
 * without a listener would end the process. The callback runs at once: a promise leaves a gap in which the loss may come.
 */
export function checkOut(pool: Pool): Promise<CheckedOut> {
  return new Promise((resolve, reject) => {
    const onConnect = (error: Error | undefined, client?: pg.PoolClient, release?: (failure?: Error) => void) => {
      if (client) resolve(watch(client, release ?? ((failure) => client.release(failure))));
      else reject(error);
    };
    // What only behaves like a pool of pg's may know promises only, and pay no heed to the callback.
    const promised: unknown = pool.connect(onConnect as Parameters<Pool['connect']>[0]);
    if (isPromiseLike(promised)) {
      (promised as PromiseLike<pg.PoolClient>).then((client) => onConnect(undefined, client), reject);
    }
  });
}

function watch(client: pg.PoolClient, release: (failure?: Error) => void): CheckedOut {
  let lost: Error | undefined;
  let fail: ((reason: Error) => void) | undefined;
  const onLost = (reason = new Error('the connection ended')) => {
    lost = reason;
    fail?.(reason);
  };
  client.on('error', onLost).on('end', onLost);
  return {
    client,
    // No race with one promise for all of a reading: that would hold every batch in memory until its end.
    unlessLost: async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await new Promise<T>((done, failed) => {
          fail = failed;
          work.then(done, failed);
          if (lost) failed(lost);
        });
      } finally {
        fail = undefined;
      }
    },
    release: (failure) => {
      client.off('error', onLost).off('end', onLost);
      release(failure);
    },
  };
}
