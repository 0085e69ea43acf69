import pg from 'pg';
import { orThrow } from '../../lib/deadline.js';
import { NoAnswerError } from '../../postgres/ask.js';
import { giveUp } from '../../postgres/cancel.js';
import type { Query } from '../../postgres/rows.js';
import { AS_TEXT } from '../../postgres/rows.js';

/** How many milliseconds a prepared statement may take here before the pool is asked instead: the connection may have been cut in silence. */
const TIMEOUT = 3000;

/** For how many milliseconds the pool is asked instead, after a prepared statement has failed here. */
const REST = 30_000;

/** How many milliseconds a statement may take for which the caller names no time-out. */
const QUERY_TIMEOUT = 30_000;

/**
 * Makes PostgreSQL plan a prepared statement once, and by the index: the table may be small when the plan is made and grow
 * to millions of rows. The settings hold until their transaction ends.
 */
const BY_INDEX =
  'begin read only; set local plan_cache_mode = force_generic_plan; ' +
  'set local enable_seqscan = off; set local enable_bitmapscan = off';

/** Switches pg's own time-out off: after it the next statement begins while the server still works on the last one. */
const NEVER = 2 ** 31 - 1;

/** Writes a parameter as a literal of SQL: a number, a text, or an array of numbers. */
const literal = (value: unknown): string =>
  pg.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value));

/** Lets others use the listening connection, too. It runs one statement after another, and keeps statements prepared. */
export class Session {
  readonly client: pg.Client;
  #last: Promise<unknown> = Promise.resolve();
  readonly #prepared = new Map<string, string>();
  #unfitUntil = 0;
  #busy = false;

  constructor(client: pg.Client) {
    this.client = client;
  }

  /** PostgreSQL has not answered the last statement yet. */
  get busy(): boolean {
    return this.#busy;
  }

  /**
   * Runs a statement after those that were asked before: pg 9 refuses one while another runs. A statement whose time is over
   * is cancelled, and the next one waits until PostgreSQL has cancelled it.
   *
   * @param milliseconds - how long the answer may take, with the wait for the statements before it
   */
  query<Row extends pg.QueryResultRow>(
    config: string | pg.QueryConfig,
    milliseconds?: number,
  ): Promise<pg.QueryResult<Row>>;
  query<Row extends unknown[]>(config: pg.QueryArrayConfig, milliseconds?: number): Promise<pg.QueryArrayResult<Row>>;
  query(config: string | pg.QueryConfig, milliseconds = QUERY_TIMEOUT): Promise<unknown> {
    let working: Promise<unknown> | undefined;
    let late = false;
    const answer = this.#last.then(async () => {
      if (late) return undefined;
      this.#busy = true;
      try {
        const query = typeof config === 'string' ? { text: config } : config;
        working = this.client.query({ ...query, query_timeout: NEVER } as pg.QueryConfig);
        return await working;
      } finally {
        this.#busy = false;
      }
    });
    this.#last = answer.catch(() => {});
    return orThrow(answer, milliseconds, () => {
      late = true;
      if (working) void giveUp(this.client, working);
      return new NoAnswerError(milliseconds);
    });
  }

  /**
   * Runs a statement that stays prepared. That saves planning it each time, which is most of the cost of a sweep that finds
   * few events. Only the prepared statement outlives the transaction; the settings do not.
   *
   * @param name - of the prepared statement. Another text under the same name replaces it.
   * @returns the rows; undefined when it failed or failed a short while ago: then the caller asks the pool
   */
  async prepared<Row extends unknown[]>(name: string, query: Query): Promise<Row[] | undefined> {
    if (performance.now() < this.#unfitUntil) return undefined;
    try {
      if (this.#prepared.get(name) !== query.text) {
        const old = this.#prepared.has(name) ? `deallocate ${name}; ` : '';
        await this.query(`${old}prepare ${name} as ${query.text}`, TIMEOUT);
        this.#prepared.set(name, query.text);
      }
      const execute = `execute ${name} (${query.values.map(literal).join(', ')})`;
      const results = (await this.query<Row>(
        { text: `${BY_INDEX}; ${execute}; commit`, ...AS_TEXT },
        TIMEOUT,
      )) as unknown;
      return (results as pg.QueryArrayResult<Row>[]).at(-2)!.rows;
    } catch {
      this.#unfitUntil = performance.now() + REST;
      // Nobody waits for this answer: the connection may be dead.
      this.query('rollback', TIMEOUT).catch(() => {});
      return undefined;
    }
  }
}
