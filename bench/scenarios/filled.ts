const SECONDARY = `from pg_indexes where schemaname = 'djr' and tablename = 'event' and indexname <> 'event_pkey'`;

/**
 * Rows that were there before, without their having been published; the indexes are made when they are in.
 *
 * @param age - an interval
 */
export const filled = (rows: number, age = '0'): string[] => [
  `do $$ declare _indexes text[]; _index text; begin
     select array_agg(indexdef) into _indexes ${SECONDARY};
     for _index in select indexname ${SECONDARY} loop execute format('drop index djr.%I', _index); end loop;
     alter table djr.event disable trigger user;
     insert into djr.event (scope, user_id, type, detail, created_at)
       select 'user', (i % 10000)::text, 'filled', jsonb_build_object('n', i), now() - interval '${age}' from generate_series(1, ${rows}) i;
     alter table djr.event enable trigger user;
     set local maintenance_work_mem = '256MB';
     foreach _index in array _indexes loop execute _index; end loop;
   end $$`,
  'vacuum analyze djr.event',
];
