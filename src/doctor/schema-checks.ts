import type pg from 'pg';
import { disableRowSecurity, securedTables } from '../install/row-security.js';
import { requireSchema } from '../install/schema.js';
import { schemaVersion } from '../install/schema-version.js';
import { one, select } from '../postgres/select.js';
import { failed, ok, warning } from './findings.js';

/** Without one of these a sweep, a resume or pruning reads the whole table. */
const INDEXES = [
  'event_pkey',
  'event_xid',
  'event_user',
  'event_created_at',
  'event_key',
  'event_replay_of',
  'activity_event',
];

/** Dead rows from which on there may be a warning. */
const MANY_DEAD = 100_000;

const TEXT = 'pg_catalog.text';
const JSONB = 'pg_catalog.jsonb';

export async function schema(client: pg.Client) {
  try {
    await requireSchema(client);
    await one(client, 'select true as there from djr.settings');
    const { installed, expected } = await schemaVersion(client);
    // As in a deploy whose `djr migrate` has run, when this is the version before.
    if (installed !== expected)
      return ok(`at ${installed}, newer than the ${expected} of this version of djr, on the primary`);
    return ok('as this version of djr expects, on the primary');
  } catch (error) {
    const { code, message, hint } = error as Error & { code?: string; hint?: string };
    const rightless = code === '42501' && 'Give this role its rights, as said below.';
    return failed(message, hint ?? (rightless || 'Run `djr migrate`.'));
  }
}

/** Policies hide rows without any error, even from djr's own functions. */
export async function rowSecurity(client: pg.Client) {
  const tables = await securedTables(client);
  const [first] = tables;
  if (!first) return ok('off for every table of djr');
  const names = tables.map(({ name }) => name).join(', ');
  const todo = `As the owner: ${tables.map(({ name }) => disableRowSecurity(name)).join(' ')}`;
  if (tables.some(({ active }) => active))
    return failed(`on for ${names}: rows are hidden, and a resume lacks them`, todo);
  return warning(`on for ${names}, and not for this role: another role would miss rows`, todo);
}

export async function rights(client: pg.Client) {
  const { role, server, publish } = await one<{ role: string; server: boolean; publish: boolean }>(
    client,
    `select current_user::pg_catalog.text as role,
            case when pg_catalog.has_schema_privilege('djr', 'usage') then
              pg_catalog.has_table_privilege('djr.event', 'select')
              and pg_catalog.has_table_privilege('djr.settings', 'select')
              and pg_catalog.has_table_privilege('djr.instance', 'select')
              and pg_catalog.has_function_privilege('djr.channel()', 'execute')
              and pg_catalog.has_function_privilege('djr.forget_instance(pg_catalog.text)', 'execute')
            else false end as server,
            case when pg_catalog.has_schema_privilege('djr', 'usage') then
              pg_catalog.has_function_privilege('djr.publish_global(${TEXT}, ${JSONB}, ${JSONB}, ${TEXT})', 'execute')
              and pg_catalog.has_function_privilege(
                'djr._publish(${TEXT}, ${TEXT}, ${TEXT}, ${JSONB}, ${JSONB}, ${TEXT})', 'execute')
            else false end as publish`,
  );
  if (!server) return failed(`${role} may not run the runtime`, `As the owner: select djr.grant_server('${role}').`);
  return ok(`${role} may run the runtime${publish ? ' and publish' : ', and may not publish'}`);
}

/** How many roles are named, and how many rights of each. */
const NAMED = 10;

export async function grants(client: pg.Client) {
  const rows = await select<{ role: string; rights: string[] }>(
    client,
    'select role, pg_catalog.to_json(rights) as rights from djr._excess_rights()',
  );
  if (rows.length === 0) return ok('no role can do more than it was granted');
  const shortened = (list: string[]) =>
    list.slice(0, NAMED).join(', ') + (list.length > NAMED ? ` and ${list.length - NAMED} more` : '');
  const each = rows.map(({ role, rights }) => `${role} (${shortened(rights)})`);
  return warning(
    `can do more than they were granted: ${shortened(each)}`,
    'Revoke it; what a role must have, djr.grant_publish or djr.grant_server gives.',
  );
}

export async function indexes(client: pg.Client) {
  const { invalid, missing } = await one<{ invalid: string[]; missing: string[] }>(
    client,
    `select pg_catalog.to_json(array(
       select i.indexrelid::pg_catalog.regclass::pg_catalog.text
         from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indrelid
        where c.relnamespace operator(pg_catalog.=) 'djr'::pg_catalog.regnamespace and not i.indisvalid)) as invalid,
     pg_catalog.to_json(array(
       select name from pg_catalog.unnest($1::pg_catalog.text[]) name
        where pg_catalog.to_regclass('djr.' operator(pg_catalog.||) name) is null)) as missing`,
    [INDEXES],
  );
  if (missing.length > 0) {
    return failed(
      `missing: ${missing.join(', ')}`,
      `Make it again as \`djr migrate --print\` has it: index ${missing[0]}.`,
    );
  }
  if (invalid.length > 0)
    return failed(`not valid: ${invalid.join(', ')}`, `reindex index concurrently ${invalid[0]};`);
  return ok('all there, and valid');
}

export async function retention(client: pg.Client) {
  const { storage, retention, late } = await one<{ storage: boolean; retention: string | null; late: string | null }>(
    client,
    `select storage, retention::pg_catalog.text as retention,
            (select (pg_catalog.clock_timestamp() operator(pg_catalog.-) created_at
                     operator(pg_catalog.-) retention)::interval(0)::pg_catalog.text from djr.event
              where created_at operator(pg_catalog.<) (pg_catalog.clock_timestamp() operator(pg_catalog.-) retention
                                                       operator(pg_catalog.-) interval '1 hour')
              order by created_at limit 1) as late
       from djr.settings`,
  );
  if (!storage) return warning('events are not stored', 'No resume, no sweep: select djr.configure(storage => true).');
  if (retention === null) {
    return warning('events are kept for ever', "Say how long: select djr.configure(retention => '30 days').");
  }
  if (late !== null) {
    return warning(
      `events are to be kept for ${retention}, and the oldest is past that by ${late}: nobody prunes`,
      'Run an instance, or `djr prune` from time to time.',
    );
  }
  return ok(`events are kept for ${retention}, and what is older is pruned`);
}

export async function vacuum(client: pg.Client) {
  const { enabled, dead, live } = await one<{ enabled: boolean; dead: number; live: number }>(
    client,
    `select pg_catalog.current_setting('autovacuum')::boolean as enabled,
            coalesce(pg_catalog.sum(n_dead_tup), 0) as dead,
            coalesce(pg_catalog.sum(n_live_tup), 0) as live
       from pg_catalog.pg_stat_all_tables where schemaname operator(pg_catalog.=) 'djr'`,
  );
  if (!enabled) return warning('autovacuum is off', 'Set autovacuum to on: pruning leaves what it has to clear away.');
  if (dead < MANY_DEAD || dead < live / 2) return ok(`${dead} rows wait for it, about`);
  return warning(`${dead} rows wait for it, and ${live} live, about`, 'vacuum (analyze) djr.event, djr.activity;');
}

export async function instances(client: pg.Client) {
  const { running, gone, versions } = await one<{ running: number; gone: number; versions: string[] }>(
    client,
    `select pg_catalog.count(*) filter (where seen)::int as running,
            pg_catalog.count(*) filter (where not seen)::int as gone,
            pg_catalog.to_json(coalesce(pg_catalog.array_agg(distinct version) filter (where seen), '{}')) as versions
       from (select version,
                    seen_at operator(pg_catalog.>) (pg_catalog.clock_timestamp() operator(pg_catalog.-) interval '30 s') as seen
               from djr.instance) instance`,
  );
  const found = `${running} running${gone > 0 ? `, ${gone} gone without a word within a day` : ''}`;
  if (versions.length < 2) return ok(found);
  return warning(`${found}, of different versions: ${versions.join(', ')}`, 'Finish the deploy.');
}
