import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { eventsOf, publishRows } from '../helpers/rows.js';

/** Texts of which each type takes one or more. */
const SAMPLES = [
  ...[
    '1',
    '-2.5',
    'true',
    'a',
    'Ünï "x", y',
    '12',
    '0101',
    '1 day 02:03:04',
    '10:11:12.5',
    '10:11:12+02',
    '2026-01-02',
  ],
  ...['2026-01-02 03:04:05.678', 'infinity', 'NaN', '\\x00ff', '{"b": [1, null], "a": "x"}', '<a>b</a>', '$.a', '0/1A'],
  ...['127.0.0.1/32', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '0198c0de-0000-7000-8000-000000000000', '(1,2)'],
  ...[
    '((0,0),(1,1))',
    '<(0,0),1>',
    '{1,-1,0}',
    '[(0,0),(1,1)]',
    '10:20:10,14',
    'pg_class',
    '1/1',
    'pg_catalog',
    'int4',
  ],
  ...[
    '[1,5)',
    '{[1,5),[7,9)}',
    '[2026-01-01,2026-02-01)',
    '{[2026-01-01,2026-02-01)}',
    'abs(integer)',
    '+(integer,integer)',
  ],
];

/** Types of an app's own: each in itself, in arrays, in domains, in composite types, and these in one another. */
const OWN = `
  create type mood as enum ('ok', 'so, so', 'NULL');
  create domain code as char(3);
  create domain moods as mood[];
  create domain feeling as mood check (value <> 'NULL');
  create domain amount as numeric(9, 2);
  create domain inner_amount as amount;
  create type span as range (subtype = text);
  create type mood_span as range (subtype = mood);
  create type place as (city text, "Zip, code" char(5), height int, "100%" numeric(5, 1), seen timestamptz, mood mood, doc json);
  create type nobody as ();
  create type house as (id bigint, place place, moods mood[], codes code[], places place[], flags bool[], late daterange);
  create domain home as house;`;

const VALUES: [type: string, value: string][] = [
  ['char(6)', `'AB12CD'`],
  ['char(6)', `'ab'`],
  ['char(3)[]', `'{EUR,u}'`],
  ['varchar(4)', `'abcd'`],
  ['numeric(9,2)', '7.10'],
  ['numeric(9,2)[]', `'{7.10,NaN}'`],
  ['numeric', `'123456789012345678901234567890.5'`],
  ['bit(4)', `'0101'`],
  ['bit varying(4)[]', `'{01,1}'`],
  ['time(1)', `'10:11:12.34'`],
  ['timestamptz(0)', `'2026-01-02 03:04:05.6+00'`],
  ['interval day to minute', `'1 day 02:03:04'`],
  ['float8', `'NaN'`],
  ['float8[]', `'{Infinity,-Infinity,0.1,1e300}'`],
  ['float8', '0.1::float8 + 0.2::float8'],
  ['date[]', `'{infinity,2026-01-02}'`],
  ['timestamptz', `'-infinity'`],
  ['int[]', `'[2:3][1:2]={{1,2},{3,null}}'`],
  ['text[]', `'{}'`],
  ['json', `'{"b": 1, "a": [true, null]}'`],
  ['json[]', `array['{"a": 1}', '[2]', null]::json[]`],
  ['jsonb', `'null'`],
  ['xml', `'<a>ü</a>'`],
  ['bytea[]', `array['\\x00ff', '']::bytea[]`],
  ['mood', `'so, so'`],
  ['mood[]', `array['so, so', 'NULL', null]::mood[]`],
  ['mood[]', `array[array['ok', 'NULL'], array[null, 'so, so']]::mood[]`],
  ['mood[]', `'{}'`],
  ['code', `'EUR'`],
  ['code[]', `'{EUR,u}'`],
  ['moods', `array['ok', 'NULL']::mood[]`],
  ['moods[]', `array[array['ok', 'NULL']::moods, null]`],
  ['feeling', `'ok'`],
  ['feeling[]', `'{ok,NULL}'`],
  ['amount', '1.50'],
  ['amount[]', `'{1.50,2}'`],
  ['inner_amount', '1.50'],
  ['inner_amount[]', `'{1.50,2}'`],
  ['span', `'[a,"b c")'`],
  ['span[]', `array['[a,b)', 'empty']::span[]`],
  ['mood_span', `'[ok,ok]'`],
  ['span_multirange', `'{[a,b),[c,d)}'`],
  ['span_multirange[]', `array['{[a,b)}', null]::span_multirange[]`],
  ['place', `row('Köln', '5066', 53, 7.1, 'infinity', 'so, so', '{"a": 1}')`],
  ['place', `row(null, null, null, null, null, null, null)`],
  [
    'place[]',
    `array[row('Köln', '50667', 53, 7.1, '2026-01-02 00:00+00', 'ok', '[1]')::place, null, row(null, null, null, null, null, null, null)::place]`,
  ],
  ['place[]', `'{}'`],
  ['nobody', 'row()'],
  ['nobody[]', 'array[row()::nobody]'],
  [
    'house',
    `row(9, row('a', 'b', 1, 2, null, 'NULL', '1'), '{ok}', '{a,b}', array[row('c', 'd', 3, 4, null, null, null)::place], '{t,f}', '[2026-01-01,2026-01-03)')`,
  ],
  ['home', `row(9, null, null, null, null, null, null)`],
  ['home[]', `array[row(9, null, '{ok,NULL}', null, '{}', null, null)::home, null]`],
];

/** Tables of a few columns each, so that no event is too large, compared with what to_jsonb has. */
async function compare(
  t: { deepEqual(actual: unknown, expected: unknown, message?: string): void },
  db: TestDatabase,
  columns: [type: string, value: string][],
): Promise<void> {
  const size = 12;
  for (let start = 0; start < columns.length; start += size) {
    const part = columns.slice(start, start + size);
    const table = `t${start}`;
    const names = part.map((_, index) => `c${index}`);
    await db.query(`create table ${table} (${part.map(([type], index) => `c${index} ${type}`).join(', ')})`);
    await publishRows(db, table, `'row', '', '${names.join(',')}'`);
    await db.query(`insert into ${table} values (${part.map(([type, value]) => `(${value})::${type}`).join(', ')})`);
    await db.query(`insert into ${table} default values`);
    // As texts: JavaScript would round the numbers.
    const sent = await db.query(`delete from djr.event returning id, (detail - 'op' - 'truncated')::text as row`);
    const expected = await db.query(`select to_jsonb(${table})::text as row from ${table}`);
    t.deepEqual(
      sent.sort((a, b) => Number(a.id) - Number(b.id)).map(({ row }) => row),
      expected.map(({ row }) => row),
      part.map(([type]) => type).join(', '),
    );
  }
}

test('a column of every type that PostgreSQL has, and its array, arrives as to_jsonb has it', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create function takes(type regtype, sample text) returns boolean language plpgsql as $$
    begin execute format('select %L::%s', sample, type); return true; exception when others then return false; end $$`);
  const types = await db.query<{ type: string; samples: string[]; kind: string }>(
    `select format_type(oid, null) as type, typtype as kind,
       array(select sample from unnest($1::text[]) sample where typtype <> 'c' and takes(oid, sample)) as samples
     from pg_type
     where typtype in ('b', 'd', 'e', 'r', 'm', 'c') and typisdefined and typnamespace = 'pg_catalog'::regnamespace
       and typarray <> 0 and oid::regtype::text not in ('pg_node_tree')
     order by oid`,
    [SAMPLES],
  );
  t.true(types.filter(({ samples }) => samples.length > 0).length > 60);
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const columns: [string, string][] = [];
  for (const { type, samples, kind } of types) {
    const named = type === 'character' ? 'bpchar' : type === 'bit' ? 'varbit' : type;
    for (const sample of samples.slice(0, 3)) columns.push([named, quote(sample)]);
    const elements = samples.slice(0, 3).map((sample) => `${quote(sample)}::${named}`);
    if (kind !== 'c') columns.push([`${named}[]`, `array[${[...elements, 'null'].join(', ')}]::${named}[]`]);
  }
  await compare(t, db, columns);
});

test("modifiers, domains, enums, ranges, composite types and arrays of an app's own arrive as to_jsonb has them", async (t) => {
  const db = await createDatabase(t);
  await db.query(OWN);
  await compare(t, db, VALUES);
});

test('the user is the text of the column, with its length and without the blanks of char(n), as publish has it', async (t) => {
  const db = await createDatabase(t);
  await db.query(OWN);
  for (const [type, value, user] of [
    ['char(10)', `'user-00042'`, 'user-00042'],
    ['char(10)', `'u'`, 'u'],
    ['code', `'u'`, 'u'],
    ['varchar(10)', `'u '`, 'u '],
    ['numeric(9,2)', '7', '7.00'],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['uuid', `'0198C0DE-0000-7000-8000-000000000000'`, '0198c0de-0000-7000-8000-000000000000'],
    ['boolean', 'true', 'true'],
    ['mood', `'so, so'`, 'so, so'],
    ['feeling', `'ok'`, 'ok'],
    ['bytea', `'\\x00ff'`, '\\x00ff'],
    ['name', `'n'`, 'n'],
  ]) {
    await db.query(`create table o (id char(6) primary key, user_id ${type}, currency char(3))`);
    await publishRows(db, 'o', `'o', 'user_id', 'currency'`);
    await db.query(`insert into o values ('AB12CD', ${value}, 'EUR')`);
    t.like((await eventsOf(db)).pop(), { user_id: user, detail: { ':id': 'AB12CD', currency: 'EUR', op: 'insert' } });
    await db.query('drop table o');
  }
});

test("no text depends on the session's formats", async (t) => {
  const db = await createDatabase(t);
  await db.query(
    `create table o (id date primary key, user_id interval, raw bytea, number float8, at timestamp, during tsrange)`,
  );
  await publishRows(db, 'o', `'o', 'user_id', 'raw,number,at,during'`);
  const session = await db.connect();
  await session.query(`set datestyle = 'German'; set intervalstyle = 'sql_standard'; set bytea_output = 'escape';
    set extra_float_digits = -5`);
  await session.query(
    `insert into o values ('2026-12-31', '1 day 2 hours', '\\x00ff', 0.1::float8 + 0.2::float8, '2026-12-31', '[2026-12-31,)')`,
  );
  t.like((await eventsOf(db))[0], {
    user_id: '1 day 02:00:00',
    detail: {
      ':id': '2026-12-31',
      raw: '\\x00ff',
      number: 0.1 + 0.2,
      at: '2026-12-31T00:00:00',
      during: '["2026-12-31 00:00:00",)',
      op: 'insert',
    },
  });
  t.is((await session.query('show datestyle')).rows[0].DateStyle, 'German, DMY');
});

test('json that jsonb cannot hold arrives as a text, and does not fail the write', async (t) => {
  const db = await createDatabase(t);
  await db.query(
    'create type pair as (doc json); create table o (id int primary key, doc json, docs json[], pair pair)',
  );
  await publishRows(db, 'o', `'o', '', 'doc,docs,pair'`);
  const nul = '{"a": "\\u0000"}';
  await db.query(`insert into o values (1, $1, array['1', $1]::json[], row($1::json))`, [nul]);
  await db.query(`insert into o values (2, '[1e999999]', null, null)`);
  const [first, second] = await eventsOf(db);
  t.like(first!.detail, { doc: nul, docs: [1, nul], pair: { doc: nul } });
  t.is(second!.detail.doc, '[1e999999]');
});

test("no code of a type's owner runs: not a cast to json, to jsonb or to text, wherever the type is", async (t) => {
  const db = await createDatabase(t);
  await db.query(`
    create type mood as enum ('ok');
    create domain feeling as mood;
    create type pair as (mood mood, n int);
    create type inner_pair as (pair pair, moods mood[]);
    create type mood_span as range (subtype = mood);`);
  for (const type of ['mood', 'mood[]', 'pair', 'pair[]', 'inner_pair', 'mood_span', 'feeling[]']) {
    for (const target of ['json', 'jsonb', 'text', 'varchar', 'text[]', 'int']) {
      const name = `evil_${`${type}_${target}`.replaceAll('[]', 's')}`;
      await db.query(`create function ${name}(${type}) returns ${target} language plpgsql as
        $$ begin raise exception 'ran as %', current_user; end $$;
        create cast (${type} as ${target}) with function ${name}(${type}) as implicit`);
    }
  }
  const values: [string, string, unknown][] = [
    ['mood', `'ok'`, 'ok'],
    ['feeling', `'ok'`, 'ok'],
    ['mood[]', `'{ok}'`, ['ok']],
    ['mood[]', `'{{ok}}'`, [['ok']]],
    ['feeling[]', `'{ok}'`, ['ok']],
    ['pair', `row('ok', 1)`, { mood: 'ok', n: 1 }],
    ['pair[]', `array[row('ok', 1)::pair]`, [{ mood: 'ok', n: 1 }]],
    ['pair[]', `array[array[row('ok', 1)::pair]]`, [['(ok,1)']]],
    ['inner_pair', `row(row('ok', 1), '{ok}')`, { pair: { mood: 'ok', n: 1 }, moods: ['ok'] }],
    ['mood_span', `'[ok,ok]'`, '[ok,ok]'],
  ];
  for (const [type, value, expected] of values) {
    await db.query(`create table o (id ${type}, value ${type})`);
    await publishRows(db, 'o', `'o', 'value', 'value', 'id'`);
    await db.query(`insert into o values (${value}, ${value})`);
    const event = (await eventsOf(db)).pop()!;
    t.deepEqual(event.detail.value, expected);
    t.is(typeof event.detail[':id'], 'string');
    await db.query('drop table o');
  }
});

test('an operator or a function of a hostile schema on the path of the writer is not called', async (t) => {
  const db = await createDatabase(t);
  await db.query(`
    create schema hostile;
    create function hostile.evil() returns boolean language plpgsql as $$ begin raise exception 'ran'; end $$;
    create function hostile.to_jsonb(int) returns jsonb language sql as $$ select to_jsonb(hostile.evil()) $$;
    create function hostile.jsonb_build_object(text, int) returns jsonb language sql as $$ select to_jsonb(hostile.evil()) $$;
    create function hostile.differs(text, text) returns boolean language sql as 'select hostile.evil()';
    create operator hostile.<> (leftarg = text, rightarg = text, function = hostile.differs);
    create table o (id int primary key, user_id text, n int)`);
  await publishRows(db, 'o', `'o', 'user_id', 'n'`);
  const session = await db.connect();
  await session.query('set search_path = hostile, pg_catalog, public');
  await session.query(`insert into o values (1, 'u', 2)`);
  await session.query('update o set n = 3');
  t.is((await eventsOf(db)).length, 2);
});
