import pg from 'pg';
import { orThrow } from '../../lib/deadline.js';
import { NoAnswerError } from '../../postgres/ask.js';
import { giveUp } from '../../postgres/cancel.js';
import type { Query } from '../../postgres/rows.js';
import { AS_TEXT } from '../../postgres/rows.js';

/** Milliseconds for an answer before the pool is asked: a connection may have been cut in silence. */
const TIMEOUT = 3000;

/** Milliseconds for which the pool is asked after a statement has failed here. */
const REST = 30_000;

/** Milliseconds for a statement that has no time-out of its own. */
const QUERY_TIMEOUT = 30_000;

/**
 * One plan for all of the statement's life, so it must be the one by the index: the table may be small when it is made, and
 * grow to millions. The settings end with their transaction.
 */
const BY_INDEX =
  'begin read only; set local plan_cache_mode = force_generic_plan; ' +
  'set local enable_seqscan = off; set local enable_bitmapscan = off';

/** Time-outs are ours here: pg's own lets the next statement begin while the server works on. */
const NEVER = 2 ** 31 - 1;

/** A parameter as SQL: numbers, texts, and arrays of numbers. */
const literal = (value: unknown): string =>
  pg.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value));

/** The listening connection as others may use it, too: one statement after another, and one that stays prepared. */
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
   * Behind those that were asked before: pg 9 refuses a statement while another one runs. One that is given up is
   * cancelled, and the next one waits until PostgreSQL has done so.
   *
   * @param milliseconds - that its answer may take, those before it included
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
   * Saves planning the statement each time, which is most of what a sweep costs that finds little. Nothing of it holds
   * longer than its transaction but the prepared statement.
   *
   * @param name - of the prepared statement; one text a name.
   * @returns undefined where it fails: then it is not tried again here for a while, and the pool does it.
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
      // Not waited for: the connection may answer nothing any more.
      this.query('rollback', TIMEOUT).catch(() => {});
      return undefined;
    }
  }
}
