import type pg from 'pg';
import { select } from '../postgres/select.js';
import type { CommittedMigration } from './migration-files.js';

type Client = Pick<pg.Client, 'query'>;

/**
 * A dump of the schema alone (`pg_dump -s`, Rails' structure.sql) has all objects, but not the rows that say which migrations made them.
 * The last migration applies everything again, so the earlier ones are entered as applied: applied once more, they would replace the
 * objects by older versions.
 */
export async function adoptSchema(client: Client, migrations: readonly CommittedMigration[]): Promise<void> {
  const [state] = await select<{ there: boolean; listed: boolean }>(
    client,
    `select pg_catalog.to_regclass('djr.event') is not null and pg_catalog.to_regclass('djr.settings') is not null as there,
            pg_catalog.to_regclass('djr.migrations') is not null as listed`,
  );
  if (!state!.there || !migrations.at(-1)!.sql.includes('--! Included index.sql')) return;
  if (!state!.listed) {
    await client.query(
      'create table djr.migrations (id serial primary key, name pg_catalog.varchar(255) not null, run_on pg_catalog.timestamp not null)',
    );
  }
  if ((await select(client, 'select from djr.migrations limit 1')).length > 0) return;
  for (const { name } of migrations.slice(0, -1)) {
    await select(client, 'insert into djr.migrations (name, run_on) values ($1, pg_catalog.now())', [name]);
  }
}

/** Restores the row of the settings if it is missing. @returns whether it was missing */
export async function healSettings(client: Client): Promise<boolean> {
  const { rowCount } = await client.query('insert into djr.settings default values on conflict do nothing');
  return rowCount === 1;
}
