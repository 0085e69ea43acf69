import type pg from 'pg';
import { AS_TEXT } from './rows.js';
import type { Query } from './statements.js';

/** Milliseconds for an answer before the pool is asked: a connection may have been cut in silence. */
const TIMEOUT = 3000;

/** The listening connection as others may use it, too: one statement after another, and one that stays prepared. */
export class Session {
  readonly client: pg.Client;
  #last: Promise<unknown> = Promise.resolve();
  #planned = false;
  #fit = true;

  constructor(client: pg.Client) {
    this.client = client;
  }

  /** Behind those that were asked before: pg 9 refuses a statement while another one runs. */
  query<Row extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
  query<Row extends unknown[]>(config: pg.QueryArrayConfig): Promise<pg.QueryArrayResult<Row>>;
  query(config: pg.QueryConfig | pg.QueryArrayConfig): Promise<unknown> {
    const result = this.#last.then(() => this.client.query(config));
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * Saves planning the statement each time, which is most of what a sweep costs that finds little.
   *
   * @param name - of the prepared statement; one text a name.
   * @returns undefined where it fails: then it is not tried again here, and the pool does it.
   */
  async prepared<Row extends unknown[]>(name: string, query: Query): Promise<Row[] | undefined> {
    if (!this.#fit) return undefined;
    try {
      if (!this.#planned) {
        // One plan for all of the statement's life, so it must be the one by the index: the table may be small when it
        // is made, and grow to millions.
        for (const setting of [
          'plan_cache_mode = force_generic_plan',
          'enable_seqscan = off',
          'enable_bitmapscan = off',
        ]) {
          await this.query({ text: `set ${setting}` });
        }
        this.#planned = true;
      }
      const config = { ...query, ...AS_TEXT, name, query_timeout: TIMEOUT };
      const { rows } = await this.query<Row>(config);
      return rows;
    } catch {
      this.#fit = false;
      return undefined;
    }
  }
}
