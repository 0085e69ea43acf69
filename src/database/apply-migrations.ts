import type pg from 'pg';
import type { CommittedMigration } from './migrate.js';
import { PINNED } from './search-path.js';

/** `serial` and the other types are words of the grammar: no path is asked for them. */
export const MIGRATIONS_TABLE = `create table djr.migrations (
  id serial primary key,
  name varchar(255) not null,
  run_on timestamp not null
);`;

/** What tells `djr migrate` that a migration is applied. */
export const recordOf = (name: string): string =>
  `insert into djr.migrations (name, run_on) values ('${name}', pg_catalog.now());`;

/**
 * Applies what is not applied yet, in the caller's transaction, whose search_path is pinned from then on: migrations that
 * are released name types and operators without their schema.
 *
 * @param migrations - all that there are, in their order
 * @returns those that were applied
 */
export async function applyMigrations(
  client: pg.Client,
  migrations: readonly CommittedMigration[],
): Promise<CommittedMigration[]> {
  await client.query(PINNED);
  await makeTable(client);
  const { rows } = await client.query<{ name: string }>('select name from djr.migrations');
  const installed = new Set(rows.map(({ name }) => name));
  const pending = migrations.filter(({ name }) => !installed.has(name));
  for (const { name, sql } of pending) {
    await client.query(sql);
    await client.query(recordOf(name));
  }
  return pending;
}

/** Not `create schema if not exists`: that asks for CREATE on the database even when an administrator made it for us. */
async function makeTable(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `select pg_catalog.to_regnamespace('djr') is null as no_schema, pg_catalog.to_regclass('djr.migrations') is null as no_table`,
  );
  if (rows[0].no_schema) await client.query('create schema djr');
  if (rows[0].no_table) await client.query(MIGRATIONS_TABLE);
}
