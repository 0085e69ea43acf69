import { inTime } from '../../lib/deadline.js';
import { AS_TEXT, type Query } from '../../postgres/rows.js';
import { isNoAnswer } from '../../postgres/sqlstate.js';
import type { Row } from './event-rows.js';
import type { Session } from './session.js';

/**
 * Milliseconds within which the pool must answer before a sweep uses the listening connection; milliseconds that the sweep may take
 * there; and milliseconds for which the pool is not asked again.
 */
const POOL_TIMEOUT = 2000;
const DIRECT_TIMEOUT = 3000;
const POOL_REST = 5000;

/**
 * Chooses the connection for a sweep: the pool, or the listening connection if the pool does not answer. While the pool cannot reach the
 * database, NOTIFY may still deliver; but without sweeps it could not for long.
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
