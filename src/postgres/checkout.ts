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
 * Takes a connection from the pool. If it is lost, the promise of `unlessLost` rejects. The pool listens for errors on idle connections
 * only, and an error without a listener would end the process. pg's callback is used and not its promise, which would leave a gap
 * before the listener is set.
 */
export function checkOut(pool: Pool): Promise<CheckedOut> {
  return new Promise((resolve, reject) => {
    const onConnect = (error: Error | undefined, client?: pg.PoolClient, release?: (failure?: Error) => void) => {
      if (client) resolve(watch(client, release ?? ((failure) => client.release(failure))));
      else reject(error);
    };
    // An object that only behaves like a pool may return a promise and ignore the callback.
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
    // No Promise.race with one promise that lasts for a whole reading: it would keep every batch in memory until the end.
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
