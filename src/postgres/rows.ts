import Cursor from 'pg-cursor';
import { orThrow } from '../lib/deadline.js';
import { ANSWER_TIMEOUT } from './answer.js';
import { NoAnswerError } from './ask.js';
import { giveUp } from './cancel.js';
import { checkOut } from './checkout.js';
import type { Pool } from './connect.js';

/** A statement with its parameters. */
export interface Query {
  text: string;
  values: unknown[];
}

/** Returns rows as arrays of the texts that PostgreSQL sent, whatever type parsers an app has set. */
export const AS_TEXT = {
  rowMode: 'array',
  types: { getTypeParser: () => (value: string) => value },
} as const;

/** Rows that one query may read into memory at once; more are read through a cursor. */
export const BATCH = 1000;

/**
 * Reads through a cursor.
 *
 * @param onRows - called with each batch; returns false to end early
 * @param ahead - asks for the next rows while a batch is handled, for a caller that reads to the end anyway
 * @param most - how many rows to ask for next
 */
export async function readRows<Row extends unknown[]>(
  pool: Pool,
  query: Query,
  onRows: (rows: Row[]) => Promise<boolean>,
  ahead = false,
  most: () => number = () => BATCH,
): Promise<void> {
  const { client, unlessLost, release } = await checkOut(pool);
  /** The request that PostgreSQL is working on. */
  let working: Promise<unknown> | undefined;
  const answer = <T>(work: Promise<T>): Promise<T> => {
    const own = unlessLost(work);
    const over = () => {
      if (working === own) working = undefined;
    };
    working = own;
    own.then(over, over);
    return orThrow(own, ANSWER_TIMEOUT, () => new NoAnswerError(ANSWER_TIMEOUT));
  };
  let failure: Error | undefined;
  try {
    const cursor = client.query(new Cursor<Row>(query.text, query.values, AS_TEXT));
    let asked = 0;
    const read = () => {
      asked = most();
      return answer(cursor.read(asked));
    };
    let next = read();
    for (;;) {
      const rows = await next;
      const full = rows.length === asked;
      if (full && ahead) {
        next = read();
        // The answer is awaited after these rows were handled.
        next.catch(() => {});
      }
      if (!(await onRows(rows))) {
        await next;
        await answer(cursor.close());
        return;
      }
      if (!full) return;
      if (!ahead) next = read();
    }
  } catch (error) {
    // The connection is closed together with the cursor: a lost connection would never answer to closing the cursor.
    failure = error as Error;
    throw error;
  } finally {
    // The caller need not wait until the server has given up; only the place in the pool is free after that.
    if (working === undefined || failure === undefined) release(failure);
    else void giveUp(client, working).then((fit) => release(fit ? undefined : failure));
  }
}
