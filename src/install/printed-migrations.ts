import { DjrError } from '../lib/errors.js';
import type { CommittedMigration } from './migration-files.js';

/** SQL that does what the migration runner would do: it creates the same table. Every statement can be run again. */
const PROLOGUE = `-- djr. Each statement can be run again on a database that has it.
do $$
begin
  if pg_catalog.current_setting('server_encoding') operator(pg_catalog.<>) 'UTF8' then
    raise exception 'djr needs a database with encoding UTF8';
  end if;
  if pg_catalog.to_regnamespace('djr') is null then
    create schema djr;
  end if;
end
$$;

create table if not exists djr.migrations (
  id serial primary key,
  name varchar(255) not null,
  run_on timestamp not null
);`;

/** SQL that tells `djr migrate` that a migration is applied. */
const record = (name: string): string => `insert into djr.migrations (name, run_on)
select applied.name, pg_catalog.now()
from (values ('${name}')) as applied (name)
where not exists (
  select
  from djr.migrations
  where migrations.name operator(pg_catalog.=) applied.name
);`;

/** These migrations as SQL for `psql` or another migration tool, with statements that tell `djr migrate` that they are applied. */
export function asPlainSql(migrations: readonly CommittedMigration[]): string {
  const parts = migrations.map(({ name, sql }) => [sql.trim(), record(name)].join('\n\n'));
  return `${[PROLOGUE, ...parts].join('\n\n')}\n`;
}

/** Puts the SQL into one transaction. The text is UTF-8, whatever encoding the session that runs it assumes. */
export const asTransaction = (sql: string): string => `begin;

set local client_encoding = 'UTF8';

${sql}
commit;
`;

/**
 * The migrations that a database lacks which has all migrations up to this one.
 *
 * @param from - the name of a migration, or the number with which it begins
 * @throws {@link DjrError} `DJR_MIGRATE` if there is no such migration
 */
export function migrationsBehind(all: readonly CommittedMigration[], from: string): CommittedMigration[] {
  const place = all.findIndex(({ name }) => name === from || name.split('-')[0] === from);
  if (place < 0) {
    throw new DjrError('DJR_MIGRATE', `There is no migration ${JSON.stringify(from)}.`, {
      hint: `There are: ${all.map(({ name }) => name).join(', ')}. Which ones a database has: select name from djr.migrations.`,
    });
  }
  return all.slice(place + 1);
}
