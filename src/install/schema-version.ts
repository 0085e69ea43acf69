import type pg from 'pg';
import { TYPES } from '../postgres/types.js';
import { NEWEST_MIGRATION } from './newest-migration.js';

/** The newest migration that the database has, and the one that this version of djr expects. */
export async function schemaVersion(
  client: Pick<pg.Client, 'query'>,
): Promise<{ installed: string | null; expected: string }> {
  return { installed: (await installedMigrations(client)).at(-1) ?? null, expected: NEWEST_MIGRATION };
}

/** The names of the migrations that the database has, in their order; none if there is no schema. */
export async function installedMigrations(client: Pick<pg.Client, 'query'>): Promise<string[]> {
  const ask = (text: string) => client.query({ text, types: TYPES });
  const { rows } = await ask("select pg_catalog.to_regclass('djr.migrations') is not null as exists");
  if (!rows[0].exists) return [];
  return (await ask('select name from djr.migrations order by id')).rows.map(({ name }) => name as string).sort();
}
