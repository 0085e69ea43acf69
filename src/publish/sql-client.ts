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
 * Runs statements in a transaction of the caller: a client or pool of `pg`, a transaction of Prisma or postgres.js as it is, or an
 * object with a method `query` that calls another library (docs/recipes.md has a line for each).
 */
export type SqlClient = QueryClient | PrismaClient | PostgresJsClient;

/** It returns the rows, or an object with `rows`. */
interface QueryClient {
  query(statement: SqlStatement): PromiseLike<{ rows: unknown[] } | unknown[]>;
}

interface PrismaClient {
  $queryRawUnsafe(text: string, ...values: (string | null)[]): PromiseLike<unknown>;
}

interface PostgresJsClient {
  unsafe(text: string, values: (string | null)[]): PromiseLike<unknown[]>;
}

/**
 * Runs one statement of djr with the caller's client, and returns its rows.
 *
 * @throws {@link DjrError} with the SQLSTATE of a rule of the schema, even if the library has wrapped the error
 */
export async function run<Row>(client: SqlClient, text: string, values: (string | null)[]): Promise<Row[]> {
  const ask = askerOf(client);
  if (!ask) {
    throw new DjrError(
      'DJR_CONFIG',
      'The client must have a method query, as those of pg have, $queryRawUnsafe or unsafe (it has none of them).',
      {
        hint: 'Hand over the transaction of pg, Prisma or postgres.js itself; docs/recipes.md has a line for Drizzle, Kysely, Knex, TypeORM, Sequelize and MikroORM.',
      },
    );
  }
  let result: unknown;
  try {
    result = await ask({ text, values, types: TYPES });
  } catch (error) {
    throw fromPostgres(error);
  }
  const rows = Array.isArray(result) ? result : (result as { rows?: unknown } | null | undefined)?.rows;
  if (Array.isArray(rows)) return rows as Row[];
  throw new DjrError('DJR_CONFIG', 'The query of a client must return its rows, or an object with rows (it did not).', {
    hint: 'The statement was run: roll the transaction back.',
  });
}

/** @returns what runs a statement with this client; undefined if nothing does */
function askerOf(client: SqlClient): ((statement: SqlStatement) => PromiseLike<unknown>) | undefined {
  // An app without TypeScript may hand over anything.
  const own = (client ?? {}) as Partial<QueryClient & PrismaClient & PostgresJsClient>;
  // Prisma's comes first: it has a property for each model of the app, whatever their names are.
  if (typeof own.$queryRawUnsafe === 'function') return ({ text, values }) => own.$queryRawUnsafe!(text, ...values);
  if (typeof own.query === 'function') return (statement) => own.query!(statement);
  if (typeof own.unsafe === 'function') return ({ text, values }) => own.unsafe!(text, values);
  return undefined;
}
