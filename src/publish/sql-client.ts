import { DjrError } from '../lib/errors.js';
import { fromPostgres } from '../postgres/schema-error.js';
import { TYPES } from '../postgres/types.js';

/** A statement for the caller's transaction. Its placeholders `$1`, `$2` … stand in this order, and each stands once. */
export interface SqlStatement {
  text: string;
  /** Texts and nulls. */
  values: (string | null)[];
  /** How `pg` must parse the result; other libraries can ignore it. */
  types: typeof TYPES;
}

/**
 * Runs a statement in a transaction of the caller: a client or pool of `pg`, or an object with one method that calls another library
 * (docs/recipes.md has a line for each). It returns the rows, or an object with `rows`.
 */
export interface SqlClient {
  query(statement: SqlStatement): PromiseLike<{ rows: unknown[] } | unknown[]>;
}

/**
 * Runs one statement of djr with the caller's client, and returns its rows.
 *
 * @throws {@link DjrError} with the SQLSTATE of a rule of the schema, even if the library has wrapped the error
 */
export async function run<Row>(client: SqlClient, text: string, values: (string | null)[]): Promise<Row[]> {
  if (typeof (client as Partial<SqlClient> | null)?.query !== 'function') {
    throw new DjrError('DJR_CONFIG', 'The client must have a method query, as those of pg have (it has none).', {
      hint: 'docs/recipes.md shows what to hand over from Prisma, Drizzle, Kysely, Knex, TypeORM, Sequelize, MikroORM and postgres.js.',
    });
  }
  let result: unknown;
  try {
    result = await client.query({ text, values, types: TYPES });
  } catch (error) {
    throw fromPostgres(error);
  }
  const rows = Array.isArray(result) ? result : (result as { rows?: unknown } | null | undefined)?.rows;
  if (Array.isArray(rows)) return rows as Row[];
  throw new DjrError('DJR_CONFIG', 'The query of a client must return its rows, or an object with rows (it did not).', {
    hint: 'The statement was run: roll the transaction back.',
  });
}
