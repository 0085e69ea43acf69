import { DjrError } from '../lib/errors.js';
import type { CommittedMigration } from './migrate.js';

/** What the runner would do: its table is the one that it makes. Every statement can be run again. */
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

/** Tells `djr migrate` that it is applied. */
const record = (name: string): string => `insert into djr.migrations (name, run_on)
select applied.name, pg_catalog.now()
from (values ('${name}')) as applied (name)
where not exists (
  select
  from djr.migrations
  where migrations.name operator(pg_catalog.=) applied.name
);`;

/** These migrations as SQL for `psql` or another migration tool, with what tells `djr migrate` that they are applied. */
export function asPlainSql(migrations: readonly CommittedMigration[]): string {
  const parts = migrations.map(({ name, sql }) => [sql.trim(), record(name)].join('\n\n'));
  return `${[PROLOGUE, ...parts].join('\n\n')}\n`;
}

/** One transaction of it. Its file is UTF-8, whatever the session of who runs it takes it for. */
export const asTransaction = (sql: string): string => `begin;

set local client_encoding = 'UTF8';

${sql}
commit;
`;

/**
 * Those that a database lacks which has all up to this one.
 *
 * @param from - the name of a migration, or the number that it begins with
 * @throws {@link DjrError} `DJR_MIGRATE` when there is none of that name
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
