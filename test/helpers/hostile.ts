import type pg from 'pg';

/** Who runs this needs no name to be found: the connection's path is `pg_catalog` alone. */
type Superuser = Pick<pg.Client, 'query'>;

/**
 * Takes all names of `pg_catalog` from the search_path, whatever that is: a name that is not qualified is then an error,
 * and one that is works as ever. PostgreSQL looks the path's first schema up by its number, which is 11, and what a
 * statement qualifies by its name: so all that schema 11 has moves to another, and that one gets its name.
 */
export async function hideCatalog(client: Superuser): Promise<void> {
  // These are found by their number and cannot move: views say what they have. Their row types stay where they are.
  const nailed = `select oid, relname from pg_class where relnamespace = 11 and relkind = 'r'
    and (relisshared or relname in ('pg_class', 'pg_attribute', 'pg_proc', 'pg_type', 'pg_operator', 'pg_namespace'))`;
  await client.query(`
    set allow_system_table_mods = on;
    begin;
    create schema moved;
    do $$ declare _name name; begin
      for _name in select relname from (${nailed}) nailed loop
        execute format('create view moved.%1$I as select * from pg_catalog.%1$I', _name);
      end loop;
    end $$`);
  const { rows } = await client.query<{ schema: number }>(
    "select oid::int as schema from pg_namespace where nspname = 'moved'",
  );
  const moved = rows[0]!.schema;
  // Operators last, as each statement needs the one by which it finds what is to move.
  await client.query(`
    update pg_type set typnamespace = ${moved} where typnamespace = 11
      and ltrim(typname, '_') not in (select ltrim(relname, '_') from (${nailed}) nailed);
    update pg_collation set collnamespace = ${moved} where collnamespace = 11`);
  await client.query(`
    update pg_class set relnamespace = ${moved}
    where relnamespace = 11 and (relkind = 'v' or relkind = 'r' and oid not in (select oid from (${nailed}) nailed))`);
  await client.query(`update pg_proc set pronamespace = ${moved} where pronamespace = 11`);
  await client.query(`update pg_operator set oprnamespace = ${moved} where oprnamespace = 11`);
  await client.query("update pg_namespace set nspname = 'hidden' where oid operator(moved.=) 11");
  await client.query('alter schema moved rename to pg_catalog; commit');
}

/** Types whose values djr's statements bring together: of any two of them there is an operator by a cast at most. */
const TYPES = ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'name', 'varchar', '"char"'];
const OTHERS = ['timestamptz', 'interval', 'jsonb', 'json', 'xid8', 'oid', 'regclass', 'pg_snapshot', 'bool'].concat(
  ['sql_identifier', 'character_data', 'yes_or_no'].map((type) => `information_schema.${type}`),
);

/** Those of which a statement may have some without a look: `in`, `between`, `like`, `nullif`, `using`. */
const OPERATORS = '= <> < <= > >= + - * / || ~ !~ ~~ !~~ @> -> ->>'.split(' ');

/** PostgreSQL has these for any arguments, and prefers whoever has them for the very types. */
const EXACT = [
  'json_build_array(pg_snapshot, bigint, bigint, bigint, text, boolean, text, text, text)',
  'json_build_array(bigint, text, text, text, text, numeric)',
  'json_build_array(bigint, text, djr.event_scope, djr.event_user, djr.event_type, numeric)',
  'json_build_object(text, boolean, text, text, text, text, text, text)',
  ...['text', 'name', 'integer', 'bigint', 'json', 'regclass', 'interval', 'oid'].flatMap((type) => [
    `format(text, ${type})`,
    `format(text, ${type}, text)`,
    `format(text, ${type}, ${type})`,
    `jsonb_build_object(text, ${type})`,
    `to_json(${type})`,
    `to_jsonb(${type})`,
    `unnest(${type}[])`,
    `array_agg(${type})`,
    `array_position(${type}[], ${type})`,
    `max(${type})`,
  ]),
];

/** What the exception says that whoever is called raises. */
export const CALLED = 'a stranger was called';

/**
 * What somebody might do who may create in a schema of the path: makes there a function of the name and the arguments
 * of each that PostgreSQL has, an operator for whatever would be cast on its way to one of PostgreSQL's, and views and
 * types of the names of PostgreSQL's. Whatever is called fails, and says {@link CALLED}.
 */
export async function shadowCatalog(client: Superuser, schema: string): Promise<void> {
  const trap = (name: string) =>
    `language plpgsql as $trap$ begin perform ${schema}.stranger($name$${name}$name$); end $trap$`;
  await client.query(`
    create schema if not exists ${schema};
    grant usage on schema ${schema} to public;
    create function ${schema}.stranger(name text) returns boolean language plpgsql set search_path = pg_catalog as
      $$ begin raise exception '${CALLED}: %', name; end $$;
    create or replace function pg_temp.attempt(statement text) returns void language plpgsql as
      $$ begin execute statement; exception when others then null; end $$`);
  const attempt = async (statements: string[]) => {
    await client.query('select pg_temp.attempt(statement) from unnest($1::text[]) statement', [statements]);
  };
  const { rows: functions } = await client.query<{ name: string; arguments: string; result: string }>(
    `select quote_ident(proname) as name, pg_get_function_identity_arguments(oid) as arguments,
            case when proretset then 'setof ' else '' end || prorettype::regtype as result
       from pg_proc where pronamespace = 'pg_catalog'::regnamespace`,
  );
  await attempt(
    functions.map((f) => `create function ${schema}.${f.name}(${f.arguments}) returns ${f.result} ${trap(f.name)}`),
  );
  await attempt(EXACT.map((signature) => `create function ${schema}.${signature} returns text ${trap(signature)}`));
  const { rows: operators } = await client.query<{ name: string; l: string; r: string }>(
    `select oprname as name, oprleft::regtype::text as l, oprright::regtype::text as r from pg_operator
      where oprkind = 'b' and oprnamespace = 'pg_catalog'::regnamespace`,
  );
  const pairs = TYPES.flatMap((l) => [...TYPES, ...OTHERS].flatMap((r) => [[l, r] as const, [r, l] as const]));
  const mixed = pairs.flatMap(([l, r]) => OPERATORS.map((name) => ({ name, l, r })));
  const signatures = new Set([...operators, ...mixed].map(({ l, r }) => `(${l}, ${r})`));
  await attempt(
    [...signatures].map((types) => `create function ${schema}.operate${types} returns boolean ${trap(types)}`),
  );
  await attempt(
    [...operators, ...mixed].map(
      ({ name, l, r }) =>
        `create operator ${schema}.${name} (function = ${schema}.operate, leftarg = ${l}, rightarg = ${r})`,
    ),
  );
  const { rows: names } = await client.query<{ view: string | null; type: string | null }>(
    `select quote_ident(relname) as view, null as type from pg_class
      where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')
     union all
     select null, quote_ident(typname) from pg_type
      where typnamespace = 'pg_catalog'::regnamespace and typrelid = 0 and typelem = 0`,
  );
  await attempt(
    names.map(({ view, type }) =>
      view === null
        ? `create domain ${schema}.${type} as pg_catalog.text check (${schema}.stranger($$${type}$$))`
        : `create view ${schema}.${view} as select ${schema}.stranger($$${view}$$) as oid`,
    ),
  );
}
