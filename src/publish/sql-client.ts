import { DjrError, fromPostgres } from '../lib/errors.js';
import { TYPES } from '../postgres/types.js';

/** A statement for the caller's transaction. Its placeholders are `$1`, `$2` …, in this order and each of them once. */
export interface SqlStatement {
  text: string;
  /** Texts and nulls. */
  values: (string | null)[];
  /** How `pg` is to read what it returns; other libraries need not look at it. */
  types: typeof TYPES;
}

/**
 * What runs a statement in a transaction of the caller's: a client or pool of `pg`, or one method around what another library has
 * (docs/recipes.md has a line for each). It returns the rows, or an object with `rows`.
 */
export interface SqlClient {
  query(statement: SqlStatement): PromiseLike<{ rows: unknown[] } | unknown[]>;
}

/**
 * The rows of one statement of ours, run by the caller's client.
 *
 * @throws {@link DjrError} with the SQLSTATE of a rule of the schema, whatever the library has wrapped it in
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
