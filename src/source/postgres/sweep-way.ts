import { inTime } from '../../lib/deadline.js';
import { AS_TEXT, type Query } from '../../postgres/rows.js';
import { isNoAnswer } from '../../postgres/sqlstate.js';
import type { Row } from './event-rows.js';
import type { Session } from './session.js';

/**
 * Milliseconds in which the pool must have answered before a sweep is made on the listening connection, that it may take
 * there, and for which the pool is not asked again.
 */
const POOL_TIMEOUT = 2000;
const DIRECT_TIMEOUT = 3000;
const POOL_REST = 5000;

/**
 * By which connection a sweep goes: the pool's, and the listening one where the pool does not answer. NOTIFY may well deliver
 * while the way of the pool is broken, and without sweeps it could not for long.
 */
export class SweepWay {
  readonly #onPool: (query: Query) => Promise<Row[]>;
  readonly #session: () => Session | undefined;
  /** `performance.now()` until which the pool is not asked. */
  #poolAwayUntil = 0;
  /** A sweep waits for the pool still, though another way was taken. */
  #waitsForPool = false;

  /** @param session - the listening connection, where it is known to be ours alone */
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
