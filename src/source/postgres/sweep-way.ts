import { inTime } from '../../lib/deadline.js';
import { AS_TEXT, type Query } from '../../postgres/rows.js';
import { isNoAnswer } from '../../postgres/sqlstate.js';
import type { Row } from './event-rows.js';
import type { Session } from './session.js';

/** If the pool does not answer a sweep within so many milliseconds, the sweep uses the listening connection. */
const POOL_TIMEOUT = 2000;

/** Milliseconds that a sweep may take on the listening connection. */
const DIRECT_TIMEOUT = 3000;

/** Milliseconds for which the pool is not asked after a sweep has used the listening connection. */
const POOL_REST = 5000;

/**
 * Chooses the connection for a sweep: the pool, or the listening connection if the pool does not answer. While the pool cannot reach the
 * database, NOTIFY may still deliver. But a sweep that fails closes the fast lane, so without another connection for sweeps NOTIFY would
 * soon deliver no stored event.
 */
export class SweepWay {
  readonly #onPool: (query: Query) => Promise<Row[]>;
  readonly #session: () => Session | undefined;
  /** `performance.now()` until which the pool is not asked. */
  #poolAwayUntil = 0;
  /** Whether an earlier sweep still waits for the pool, although the listening connection was used for it. */
  #waitsForPool = false;

  /** @param session - the listening connection, if it is proved to be used by this instance alone */
  constructor(onPool: (query: Query) => Promise<Row[]>, session: () => Session | undefined) {
    this.#onPool = onPool;
    this.#session = session;
  }

  async query(query: Query): Promise<Row[]> {
    const session = this.#session();
    if (!session) return this.#onPool(query);
    if (!this.#waitsForPool && performance.now() >= this.#poolAwayUntil) {
      try {
        this.#waitsForPool = true;
        const pending = this.#onPool(query).finally(() => {
          this.#waitsForPool = false;
        });
        const rows = await inTime(pending, POOL_TIMEOUT);
        if (rows) return rows;
        pending.catch(() => {});
      } catch (error) {
        if (!isNoAnswer(error)) throw error;
      }
    }
    const { rows } = await session.query<Row>({ ...query, ...AS_TEXT }, DIRECT_TIMEOUT);
    if (performance.now() >= this.#poolAwayUntil) this.#poolAwayUntil = performance.now() + POOL_REST;
    return rows;
  }
}
