import type pg from 'pg';
import { PINNED } from '../src/postgres/search-path.js';

/**
 * Schema djr as text, from the catalogs: the same for the same schema on every server version, so that two can be
 * compared. (There is no pg_dump where there is only the embedded server, and its output differs between versions.)
 */
export async function dumpSchema(client: Pick<pg.Client, 'query'>): Promise<string> {
  // Of several statements in one query there is a result each.
  const results = (await client.query(DUMP)) as unknown as pg.QueryResult<{ line: string }>[];
  const { rows } = results.at(-1)!;
  return `${rows.map(({ line }) => line).join('\n')}\n`;
}

// The owner's name and the grants of djr.grant_* belong to a database and not to the schema. NOT NULL is in the
// column's line: only PostgreSQL 18 has it among the constraints. The runner's own table is not ours.
const DUMP = `${PINNED}
with relation as (
  select oid, relname, relkind from pg_class
  where relnamespace = 'djr'::regnamespace and relname not like 'migrations%'
)
select line from (
  select 1 as part, 'schema djr' as name, 0 as place, 'schema djr: ' || obj_description('djr'::regnamespace, 'pg_namespace') as line
  union all
  select 2, typname, 0, format('domain %s as %s: %s', typname, format_type(typbasetype, typtypmod), obj_description(oid, 'pg_type'))
  from pg_type where typnamespace = 'djr'::regnamespace and typtype = 'd'
  union all
  select 2, typname, 1, format('  %s %s', conname, pg_get_constraintdef(pg_constraint.oid))
  from pg_constraint join pg_type on pg_type.oid = contypid where connamespace = 'djr'::regnamespace and contype = 'c'
  union all
  select 3, relname, 0, format('%s %s: %s', case relkind when 'r' then 'table' when 'v' then 'view' when 'S' then 'sequence' end, relname, obj_description(oid, 'pg_class'))
  from relation where relkind in ('r', 'v', 'S')
  union all
  select 3, relname, attnum, format('  %s %s%s%s%s: %s', attname, format_type(atttypid, atttypmod),
    case when attnotnull then ' not null' end, case when attidentity <> '' then ' identity' end,
    ' default ' || pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
  from pg_attribute join relation on relation.oid = attrelid
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attnum > 0 and not attisdropped and relkind in ('r', 'v')
  union all
  select 3, relname, 1000, format('  %s %s', conname, pg_get_constraintdef(pg_constraint.oid))
  from pg_constraint join relation on relation.oid = conrelid where contype <> 'n'
  union all
  select 3, relation.relname, 2000, format('  %s: %s', pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class'))
  from pg_index join relation on relation.oid = indrelid
  union all
  select 3, relname, 3000, format('  %s: %s', pg_get_triggerdef(pg_trigger.oid), obj_description(pg_trigger.oid, 'pg_trigger'))
  from pg_trigger join relation on relation.oid = tgrelid where not tgisinternal
  union all
  select 4, relname, 0, format('sequence %s %s from %s to %s start %s', relname, format_type(seqtypid, null), seqmin, seqmax, seqstart)
  from pg_sequence join relation on relation.oid = seqrelid
  union all
  select 5, proname, 0, format('%s%s', pg_get_functiondef(oid), E'\\n  ' || obj_description(oid, 'pg_proc'))
  from pg_proc where pronamespace = 'djr'::regnamespace
) dump
order by part, name::text collate "C", place, line collate "C"`;
