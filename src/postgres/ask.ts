import type pg from 'pg';
import { codeOf } from '../lib/error-code.js';
import { giveUp } from './cancel.js';
import { checkOut } from './checkout.js';
import type { Pool } from './connect.js';
import { IDLE_SESSION_TIMEOUT } from './sqlstate.js';
import { TYPES } from './types.js';

/** Switches pg's own time-out off, which an app may have set: it would free the connection's place while the server works on. */
const NEVER = 2 ** 31 - 1;

/** PostgreSQL did not answer in time, and the statement was given up. */
export class NoAnswerError extends Error {
  constructor(milliseconds: number) {
    super(`PostgreSQL did not answer within ${milliseconds} ms`);
  }
}

/**
 * Runs one statement on a connection of the pool. Values are parsed as djr parses them (src/postgres/types.ts), unless the query says
 * otherwise. A statement that is given up is cancelled on the server, and the connection is free only after that: otherwise the server
 * would work on while the pool opens one more connection for the next statement.
 *
 * @param milliseconds - how long the answer may take
 * @throws {@link NoAnswerError} if it takes longer, or the error of PostgreSQL or the pool
 */
export function ask<Row extends unknown[]>(
  pool: Pool,
  query: pg.QueryArrayConfig,
  milliseconds: number,
): Promise<pg.QueryArrayResult<Row>>;
export function ask<Row extends pg.QueryResultRow>(
  pool: Pool,
  query: pg.QueryConfig,
  milliseconds: number,
): Promise<pg.QueryResult<Row>>;
export async function ask(pool: Pool, query: pg.QueryConfig, milliseconds: number): Promise<unknown> {
  try {
    return await askOnce(pool, query, milliseconds);
  } catch (error) {
    // PostgreSQL had ended the connection for being idle, so the statement never ran.
    if (codeOf(error) !== IDLE_SESSION_TIMEOUT) throw error;
    return askOnce(pool, query, milliseconds);
  }
}

/** The pool as a client: each of its statements is run by {@link ask}. */
export const asking = (pool: Pool, milliseconds = NEVER): Pick<pg.ClientBase, 'query'> => ({
  query: ((query: string | pg.QueryConfig, values?: unknown[]) =>
    ask(pool, typeof query === 'string' ? { text: query, values } : query, milliseconds)) as pg.ClientBase['query'],
});

async function askOnce(pool: Pool, query: pg.QueryConfig, milliseconds: number): Promise<unknown> {
  const { client, release, unlessLost } = await checkOut(pool);
  const working = unlessLost(client.query({ types: TYPES, ...query, query_timeout: NEVER } as pg.QueryConfig));
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      const error = new NoAnswerError(milliseconds);
      reject(error);
      void giveUp(client, working).then((fit) => release(fit ? undefined : error));
    }, milliseconds);
    working.then(
      (result) => {
        clearTimeout(timer);
        if (late) return;
        release();
        resolve(result);
      },
      (error: Error) => {
        clearTimeout(timer);
        if (late) return;
        release(error);
        reject(error);
      },
    );
  });
}
