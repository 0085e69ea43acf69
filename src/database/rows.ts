import type pg from 'pg';
import Cursor from 'pg-cursor';
import { answer } from './answer.js';
import type { Query } from './statements.js';

/** Rows as arrays of the texts that PostgreSQL sent, whatever type parsers an app has set. */
export const AS_TEXT = {
  rowMode: 'array',
  types: { getTypeParser: () => (value: string) => value },
} as const;

/** Rows that one query may bring into memory at once; what is more comes through a cursor. */
export const BATCH = 1000;

/**
 * Reads through a cursor, {@link BATCH} rows at a time.
 *
 * @param onRows - returns false to end early.
 * @param ahead - asks for the next rows while these are looked at: for who reads to the end, whatever comes.
 */
export async function readRows<Row extends unknown[]>(
  pool: pg.Pool,
  query: Query,
  onRows: (rows: Row[]) => Promise<boolean>,
  ahead = false,
): Promise<void> {
  const { client, unlessLost, release } = await checkOut(pool);
  let failure: Error | undefined;
  try {
    const cursor = client.query(new Cursor<Row>(query.text, query.values, AS_TEXT));
    const read = () => answer(unlessLost(cursor.read(BATCH)));
    let next = read();
    for (;;) {
      const rows = await next;
      const full = rows.length === BATCH;
      if (full && ahead) {
        next = read();
        // It is awaited when these rows are done with.
        next.catch(() => {});
      }
      if (!(await onRows(rows))) {
        await next;
        await answer(unlessLost(cursor.close()));
        return;
      }
      if (!full) return;
      if (!ahead) next = read();
    }
  } catch (error) {
    // The connection goes with its cursor, which a lost one would never close.
    failure = error as Error;
    throw error;
  } finally {
    release(failure);
  }
}

interface CheckedOut {
  readonly client: pg.PoolClient;
  unlessLost<T>(work: Promise<T>): Promise<T>;
  release(failure?: Error): void;
}

/**
 * A connection whose loss rejects what `unlessLost` waits for. The pool listens on idle connections only, and one lost
 * without a listener would end the process. The callback runs at once: a promise leaves a gap in which the loss may come.
 */
function checkOut(pool: pg.Pool): Promise<CheckedOut> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client, release) => {
      if (!client) {
        reject(error);
        return;
      }
      let lost: Error | undefined;
      let fail: ((reason: Error) => void) | undefined;
      const onLost = (reason = new Error('the connection ended')) => {
        lost = reason;
        fail?.(reason);
      };
      // No race with one promise for all of a reading: that would hold every batch in memory until its end.
      const unlessLost = async <T>(work: Promise<T>): Promise<T> => {
        try {
          return await new Promise<T>((done, failed) => {
            fail = failed;
            work.then(done, failed);
            if (lost) failed(lost);
          });
        } finally {
          fail = undefined;
        }
      };
      client.on('error', onLost).on('end', onLost);
      resolve({
        client,
        unlessLost,
        release: (failure) => {
          client.off('error', onLost).off('end', onLost);
          release(failure);
        },
      });
    });
  });
}
