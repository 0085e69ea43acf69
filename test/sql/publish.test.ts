import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

test('publish takes the user as text, bigint, integer or uuid, and literals need no cast', async (t) => {
  const { query } = await createDatabase(t);
  await query('create table account (id uuid default gen_random_uuid(), number int default 7)');
  await query('insert into account default values');
  await query(`select djr.publish(42, 't', '{}'), djr.publish('42', 't', '{}'),
    djr.publish(account.id, 't', '{"a": 1}'), djr.publish(account.number, 't'),
    djr.publish(user_id => 9, type => 't', detail => '{}', key => 'k') from account`);
  const rows = await query('select user_id from djr.event order by id');
  t.is(rows.length, 5);
  t.deepEqual(
    rows.filter((_, index) => index !== 2).map(({ user_id }) => user_id),
    ['42', '42', '7', '9'],
  );
  t.regex(rows[2]!.user_id, /^[0-9a-f-]{36}$/);
});

test('publish returns the id of the event, which is stored with what was given', async (t) => {
  const { query } = await createDatabase(t);
  const [{ id }] = (await query(`select djr.publish('1', 'paid', '{"n": 1}', '{"secret": true}') as id`)) as [
    { id: string },
  ];
  const [event] = await query('select * from djr.event where id = $1', [id]);
  t.like(event, {
    scope: 'user',
    user_id: '1',
    type: 'paid',
    detail: { n: 1 },
    private_data: { secret: true },
    key: null,
  });
  t.truthy(event!.xid);
});

test('a message is a header, a tab and the detail, without private data', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query(`select djr.publish('ü"1', 'paid', '{"n": "é"}', '{"secret": "hidden"}')`);
  const [message] = await listener.messages(1);
  const [header, detail] = message!.split('\t');
  const [id, xid, scope, user, type, time] = JSON.parse(header!);
  t.deepEqual([id, typeof xid, scope, user, type], [1, 'string', 'user', 'ü"1', 'paid']);
  t.true(Math.abs(time - Date.now()) < 60_000 && Number.isInteger(time));
  t.is(detail, '{"n": "é"}');
});

test('publish_global reaches everyone, publish_system only the backend, about a user of any id type or nobody', async (t) => {
  const { query } = await createDatabase(t);
  await query(`select djr.publish_global('g'), djr.publish_system('s'), djr.publish_system('s', '{}', 'u'),
    djr.publish_system('s', '{}', 7), djr.publish_system('s', '{}', gen_random_uuid()), djr.publish_system('s', user_id => 'n')`);
  const rows = await query('select scope, user_id from djr.event order by id');
  t.deepEqual(
    rows.map(({ scope }) => scope),
    ['public', 'system', 'system', 'system', 'system', 'system'],
  );
  t.deepEqual([rows[0]!.user_id, rows[1]!.user_id, rows[2]!.user_id, rows[3]!.user_id], [null, null, 'u', '7']);
});

test('a refused event aborts the statement, and nothing of it is stored', async (t) => {
  const { query } = await createDatabase(t);
  await t.throwsAsync(
    query(`select djr.publish(n::text, case n when 3 then 'a b' else 'ok' end) from generate_series(1, 3) n`),
  );
  t.deepEqual(await query('select * from djr.event'), []);
});

const refused: [what: string, code: string, call: string][] = [
  ['a type that is null', 'DJR01', `djr.publish('1', null)`],
  ['an empty type', 'DJR01', `djr.publish('1', '')`],
  ['a type of 201 characters', 'DJR01', `djr.publish('1', repeat('ü', 201))`],
  ['a type with a space', 'DJR01', `djr.publish('1', 'a b')`],
  ['a type with a line feed', 'DJR01', `djr.publish('1', E'a\\nb')`],
  ['a type with a control character', 'DJR01', `djr.publish('1', E'a\\u0085b')`],
  ['a type with a Unicode space', 'DJR01', `djr.publish('1', E'a\\u2028b')`],
  ['the type connected', 'DJR01', `djr.publish('1', 'connected')`],
  ['the type reset', 'DJR01', `djr.publish_global('reset')`],
  ...['disconnected', 'heartbeat', 'state', 'error', 'left', 'refused', 'presence', 'djr:state', 'djr:'].map(
    (type): [string, string, string] => [`the type ${type}`, 'DJR01', `djr.publish('1', '${type}')`],
  ),
  ['a user who is null', 'DJR02', `djr.publish(null::text, 't')`],
  ['an empty user', 'DJR03', `djr.publish('', 't')`],
  ['a user of 256 characters', 'DJR03', `djr.publish(repeat('u', 256), 't')`],
  ['a detail that is null', 'DJR04', `djr.publish('1', 't', null)`],
  ['a detail that is an array', 'DJR04', `djr.publish('1', 't', '[]')`],
  ['a detail that is a string', 'DJR04', `djr.publish('1', 't', '"x"')`],
  ['an empty key', 'DJR11', `djr.publish('1', 't', key => '')`],
  ['a key of 256 characters', 'DJR11', `djr.publish('1', 't', key => repeat('k', 256))`],
];
for (const storage of [true, false]) {
  for (const [what, code, call] of refused) {
    test(`publish refuses ${what} with ${code}, a detail and a hint (storage ${storage ? 'on' : 'off'})`, async (t) => {
      const db = await createDatabase(t);
      await db.query('select djr.configure(storage => $1)', [storage]);
      const error = await refusal(db, `select ${call}`);
      t.is(error.code, code);
      t.truthy(error.detail);
      t.truthy(error.hint);
      t.deepEqual(await db.query('select from djr.event'), []);
    });
  }
}

const inserts: [what: string, columns: string, values: string, rule: string][] = [
  ['a type with a space', 'scope, type', `'public', 'a b'`, 'event_type_characters'],
  ['an empty type', 'scope, type', `'public', ''`, 'event_type_length'],
  ['a reserved type', 'scope, type', `'public', 'reset'`, 'event_type_reserved'],
  ["a type of the page's own", 'scope, type', `'public', 'djr:chat'`, 'event_type_reserved'],
  ['an unknown scope', 'scope, type', `'all', 't'`, 'event_scope_known'],
  ['an empty user', 'scope, type, user_id', `'user', 't', ''`, 'event_user_length'],
  ['a detail that is no object', 'scope, type, detail', `'public', 't', '[]'`, 'event_detail_object'],
  ['an empty key', 'scope, type, key', `'public', 't', ''`, 'event_key_length'],
];
for (const [what, columns, values, rule] of inserts) {
  test(`a plain INSERT of ${what} meets the rule ${rule}`, async (t) => {
    const db = await createDatabase(t);
    const error = await refusal(db, `insert into djr.event (${columns}) values (${values})`);
    t.is(error.code, '23514');
    t.is(error.constraint, rule);
  });
}

test('a plain INSERT whose scope and user do not fit is refused with DJR02', async (t) => {
  const db = await createDatabase(t);
  t.is((await refusal(db, `insert into djr.event (scope, type) values ('user', 't')`)).code, 'DJR02');
  t.is((await refusal(db, `insert into djr.event (scope, type, user_id) values ('public', 't', '1')`)).code, 'DJR02');
});

test('every rule of the domains is a rule of publish: nothing passes one and not the other', async (t) => {
  const db = await createDatabase(t);
  const types = [
    'a',
    'a b',
    '',
    'x'.repeat(200),
    'x'.repeat(201),
    'reset',
    'connected',
    'disconnected',
    'heartbeat',
    'presence',
    'presences',
    'my_error',
    'errors',
    'djr',
    'djr:',
    'djr:x',
    'xdjr:',
    'ü',
    '\u00a0',
    '\u200b',
    '\u3000',
    '\ufeff',
    '\u007f',
    '\u009f',
    'a:b',
    '<b>',
  ];
  for (const type of types) {
    const passes = async (sql: string) =>
      db.query(sql, [type]).then(
        () => true,
        () => false,
      );
    t.is(
      await passes('select djr.publish_global($1)'),
      await passes(`insert into djr.event (scope, type) values ('public', $1)`),
      JSON.stringify(type),
    );
  }
});
