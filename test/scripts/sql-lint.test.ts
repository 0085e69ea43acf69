import test from 'ava';
import { lint, lintBackslashes, lintParsers, lintPlaces, lintSql, lintTypeScript } from '../../scripts/sql-lint.js';
import { unqualifiedNames } from '../../scripts/sql-names.js';

test('What reads rows without naming its parsers is found', (t) => {
  t.is(lintParsers('a.ts', "await client.query<{ a: string }>('select 1')").length, 1);
  t.is(lintParsers('a.ts', 'await pool.query<Row>(HOLDERS)').length, 1);
  const named = 'await client.query<Row>({ text, values, types: TYPES }); await select<Row>(client, TEXT)';
  t.deepEqual(lintParsers('a.ts', named), []);
});

test('A division behind a non-null assertion is no regular expression, and what follows it is read', (t) => {
  t.is(lintTypeScript('a.ts', "const hours = age! / 3600;\nclient.query('select now()');").length, 1);
});

test('A plain literal with a backslash is found', (t) => {
  t.is(lintBackslashes('a.sql', String.raw`select a ~ '\s'`).length, 1);
  t.deepEqual(
    lintBackslashes(
      'a.sql',
      String.raw`select a ~ E'\\s', 'it''s'
-- '\s'`,
    ),
    [],
  );
});

test('A function whose file is not where its callers look for it is found', (t) => {
  const places = (file: string, index: string) =>
    lintPlaces(new Map([[`sql/functions/${file}`, 'create or replace function djr._a() returns void']]), index);
  t.deepEqual(places('internal/_a.sql', '--!include functions/internal/_a.sql\n'), []);
  t.is(places('public/_a.sql', '--!include functions/public/_a.sql\n').length, 1);
  t.is(places('_a.sql', '').length, 3);
  t.is(places('internal/_b.sql', '--!include functions/internal/_b.sql\n').length, 1);
});

test('SQL that djr sends, and functions of it without a search_path, name the schema of all that they use', async (t) => {
  t.deepEqual(await lint(), []);
});

for (const [sql, name] of [
  ['select now()', 'function now'],
  ['select from djr.event where exists (select from djr.event where left(type, 1) is null)', 'function left'],
  ['select count(*) from djr.event', 'function count'],
  ['select id + 1 from djr.event', 'operator +'],
  ['select 2 * id from djr.event', 'operator *'],
  ['select -id from djr.event', 'operator -'],
  ["select from djr.event where type = 'a'", 'operator ='],
  ['select from djr.event where (xid, id) > ($1, $2)', 'operator >'],
  ['select from djr.event where xid = any($1)', 'operator ='],
  ["select detail ->> 'a' from djr.event", 'operator ->>'],
  ['select 1 operator(=) 2', 'operator operator(=)'],
  ["select from djr.event where type in ('a', 'b')", 'operator in in ('],
  ['select from djr.event where id between 1 and 2', 'operator in between'],
  ["select from djr.event where type not like 'a%'", 'operator in like'],
  ['select from djr.event where user_id is distinct from $1', 'operator in is distinct from'],
  ['select nullif(user_id, $1) from djr.event', 'operator in nullif('],
  ["select case scope when 'user' then 1 end from djr.event", 'operator in case scope'],
  ['select from djr.event join djr.activity using (event_id)', 'operator in join djr.activity using ('],
  ['select $1::text', 'type text'],
  ['select $1::xid8[]', 'type xid8'],
  ['select cast($1 as jsonb)', 'type jsonb'],
  ["select jsonb '{}'", 'type jsonb'],
  ['select type collate "C" from djr.event', 'collation quoted'],
  ['select oid from pg_class', 'table pg_class'],
  ['select from djr.event join pg_locks on true', 'table pg_locks'],
] as const) {
  test(`A name that is not qualified is found: ${sql}`, (t) => {
    t.deepEqual(unqualifiedNames(sql), [name]);
  });
}

for (const sql of [
  "select pg_catalog.now(), 'now() = 1 in (2)', coalesce($1, 1), extract(epoch from created_at) from djr.event",
  'select xid operator(pg_catalog.=) any($1::pg_catalog.xid8[]), $1::int, $2::double precision, $3::interval(0)',
  'select * from djr.event -- now() = 1',
  'select id from djr.publish(user_id => $1::pg_catalog.text) as published (id)',
  'select pg_catalog.count(*) filter (where seen), pg_catalog.sum(1) over () from (select true as seen) found',
  "select case when type operator(pg_catalog.~~) 'a' then interval '1 s' end from djr.event order by id desc limit 1",
  'set local search_path = pg_catalog, pg_temp',
]) {
  test(`What is qualified, or is no name, is nothing to complain of: ${sql}`, (t) => {
    t.deepEqual(unqualifiedNames(sql), []);
  });
}

// What TypeScript has is in a string here.
/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: above */
test('SQL is found in every kind of literal of TypeScript, and what people read is none', (t) => {
  const source = [
    "const a = 'select now()'; // 'select now()'",
    'const b = `select ${columns.map((c) => `${c}::text`).join()} from djr.event`;',
    'add(`id = ${bind(id)}`);',
    "const c = /'[`/]/.test(a) ? 'created_at < $1' : \"$1::text\";",
    "throw new Error('Run the query where nothing = something.', { hint: 'select djr.configure(retention => 1)' });",
    'const html = `<p class="a">select now()</p>`;',
  ].join('\n');
  t.deepEqual(lintTypeScript('a.ts', source), [
    'a.ts:1: function now',
    'a.ts:2: type text',
    'a.ts:3: operator =',
    'a.ts:4: operator <',
    'a.ts:4: type text',
  ]);
});

/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: above */

test('A function of sql/ without a search_path of its own has to name all schemas', (t) => {
  const define = (head: string, body: string) =>
    `create or replace function djr.f() returns text\nlanguage sql\n${head}as $$\n  select ${body}\n$$;\n`;
  t.deepEqual(lintSql('f.sql', define('set search_path = pg_catalog, pg_temp\n', 'now()')), []);
  t.deepEqual(lintSql('f.sql', define('', 'pg_catalog.now()')), []);
  t.deepEqual(lintSql('f.sql', define('', 'now()')), ['f.sql: djr.f sets no search_path, and has: function now']);
  // What comes last is searched last: pg_temp is first where it is not named.
  t.is(lintSql('f.sql', define('set search_path = pg_catalog\n', 'now()')).length, 1);
});
