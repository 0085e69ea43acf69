import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';

const ID = '018f2b1c-7d1e-7000-8000-000000000001';

/** A call, and whose event it publishes. */
const calls: [call: string, user: string | null][] = [
  [`djr.publish(42, 'x')`, '42'],
  [`djr.publish(42, 'x', '{}')`, '42'],
  [`djr.publish('42', 'x', '{}')`, '42'],
  [`djr.publish('42', 'x')`, '42'],
  [`djr.publish('42'::text, 'x'::text, '{}'::jsonb)`, '42'],
  [`djr.publish('42'::varchar, 'x'::varchar)`, '42'],
  [`djr.publish('42'::name, 'x')`, '42'],
  [`djr.publish('42'::char(2), 'x')`, '42'],
  [`djr.publish(42::smallint, 'x', '{}')`, '42'],
  [`djr.publish(42::integer, 'x', '{}')`, '42'],
  [`djr.publish(42::bigint, 'x', '{}')`, '42'],
  [`djr.publish(9007199254740993, 'x')`, '9007199254740993'],
  [`djr.publish(42::numeric, 'x', '{}')`, '42'],
  [`djr.publish(42.0, 'x')`, '42'],
  [`djr.publish(-7.000, 'x')`, '-7'],
  [`djr.publish(1e20, 'x')`, '100000000000000000000'],
  [`djr.publish(4200, 'x')`, '4200'],
  [`djr.publish(99999999999999999999, 'x')`, '99999999999999999999'],
  [`djr.publish('${ID}'::uuid, 'x', '{}')`, ID],
  [`djr.publish('${ID}', 'x', '{}')`, ID],
  [`djr.publish(user_id => 42, type => 'x')`, '42'],
  [`djr.publish(user_id => 42::numeric, type => 'x', key => 'k')`, '42'],
  [`djr.publish(42, 'x', '{}'::json::jsonb)`, '42'],
  [`djr.publish(42, 'x', jsonb_build_object('a', 1), '{"b": 2}', 'k')`, '42'],
  [`djr.publish(42, 'x', private_data => null)`, '42'],
  [`djr.publish_global('x', '{}')`, null],
  [`djr.publish_system('x')`, null],
  [`djr.publish_system('x', '{}')`, null],
  [`djr.publish_system('x', '{}', null)`, null],
  [`djr.publish_system('x', '{}', '42')`, '42'],
  [`djr.publish_system('x', '{}', 42)`, '42'],
  [`djr.publish_system('x', '{}', 42::smallint)`, '42'],
  [`djr.publish_system('x', '{}', 42::bigint)`, '42'],
  [`djr.publish_system('x', '{}', 42.0)`, '42'],
  [`djr.publish_system('x', '{}', '${ID}'::uuid)`, ID],
  [`djr.publish('42', 'x', '{}'::json)`, '42'],
  [`djr.publish(42, 'x', json_build_object('a', 1))`, '42'],
  [`djr.publish(42::bigint, 'x'::text, json_build_object('a', 1))`, '42'],
  [`djr.publish('42'::varchar, 'x'::varchar, json_build_object('a', 1), json_build_object('b', 1), 'k')`, '42'],
  [`djr.publish(42.0, 'x', '{}'::json, '{"b": 2}', 'k')`, '42'],
  [`djr.publish('${ID}'::uuid, 'x', '{}'::json)`, ID],
  [`djr.publish(user_id => 42, type => 'x', detail => row_to_json(row(1)))`, '42'],
  [`djr.publish('42', 'x', json_build_object('a', 1), null)`, '42'],
  [`djr.publish_public('x', json_build_object('a', 1))`, null],
  [`djr.publish_global('x', '{}'::json, key => 'k')`, null],
  [`djr.publish_topic('room:7', 'x', json_build_object('a', 1))`, null],
  [`djr.publish_topic('room:7', 'x', '{}')`, null],
  [`djr.publish_system('x', json_build_object('a', 1))`, null],
  [`djr.publish_system('x', json_build_object('a', 1), '42')`, '42'],
  [`djr.publish_system('x', json_build_object('a', 1), 42)`, '42'],
  [`djr.publish_system('x', json_build_object('a', 1), '${ID}'::uuid)`, ID],
  [`djr.publish_many('[{"user_id": 42, "type": "x"}]')`, '42'],
];

test('whatever type the id of a user has, one function fits and publishes to that user', async (t) => {
  const db = await createDatabase(t);
  for (const [call, user] of calls) {
    const [{ id }] = (await db.query<{ id: string }>(`select ${call} as id`)) as [{ id: string }];
    const [event] = await db.query('select user_id from djr.event where id = $1', [id]);
    t.is(event!.user_id, user, call);
    await db.query('delete from djr.event');
  }
});

test('each of these calls may say store, by its name: true stores, false does not, and neither is ambiguous', async (t) => {
  const db = await createDatabase(t);
  for (const [call] of calls) {
    // An array of events says it in each, and an event with a key has a row.
    if (call.includes('publish_many')) continue;
    for (const store of ['true', 'false', 'null']) {
      const keyed = /'k'/.test(call);
      const said = call.replace(/\)$/, `, store => ${store})`);
      const result = db.query<{ id: string | null }>(`select ${said} as id`);
      if (keyed && store === 'false') {
        t.is((await t.throwsAsync<Error & { code: string }>(result))!.code, 'DJR06', said);
        continue;
      }
      t.truthy((await result)[0]!.id, said);
      t.is((await db.query('select from djr.event')).length, store === 'false' ? 0 : 1, said);
      await db.query('delete from djr.event');
    }
  }
});

test('ids of columns are users, numeric ones too', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table u (id numeric(12,0), small smallint, whole integer, large bigint, code varchar(9));
    insert into u values (42, 42, 42, 42, '42')`);
  await db.query(`select djr.publish(u.id::numeric, 't', '{}'), djr.publish(u.id, 't'), djr.publish(u.small, 't'),
    djr.publish(u.whole, 't'), djr.publish(u.large, 't'), djr.publish(u.code, 't') from u`);
  t.deepEqual(await db.query('select distinct user_id from djr.event'), [{ user_id: '42' }]);
});

const refused: [call: string, code: string, message: RegExp][] = [
  ["djr.publish(42.5, 'x')", 'DJR03', /must be a whole number \(it is 42\.5\)/],
  [`djr.publish('NaN'::numeric, 'x')`, 'DJR03', /must be a whole number \(it is NaN\)/],
  [`djr.publish('Infinity'::numeric, 'x')`, 'DJR03', /must be a whole number \(it is Infinity\)/],
  [`djr.publish_system('x', '{}', 0.1)`, 'DJR03', /must be a whole number \(it is 0\.1\)/],
  [`djr.publish(1e300, 'x')`, 'DJR03', /1 to 255 characters \(it has 301\)/],
  [`djr.publish(42.5, 'x', '{}'::json)`, 'DJR03', /must be a whole number \(it is 42\.5\)/],
  [
    `djr.publish(42.5::float8, 'x', '{}'::json)`,
    'DJR03',
    /a whole number or a uuid \(it is of type double precision\)/,
  ],
  [`djr.publish(true, 'x', '{}'::json)`, 'DJR03', /a whole number or a uuid \(it is of type boolean\)/],
  [`djr.publish('order_paid', 42, '{}'::json)`, 'DJR01', /must be a text \(it is of type integer\)/],
  [`djr.publish(null, 'x', '{}'::json)`, 'DJR02', /must have a user_id \(it is null\)/],
  [`djr.publish(null::integer, 'x', '{}'::json)`, 'DJR02', /must have a user_id \(it is null\)/],
  [`djr.publish('1', 'x', '[]'::json)`, 'DJR04', /must be a JSON object \(it is of type array\)/],
  [`djr.publish('1', 'x', null::json)`, 'DJR04', /must be a JSON object \(it is null\)/],
  [`djr.publish(null::numeric, 'x')`, 'DJR02', /must have a user_id \(it is null\)/],
  [`djr.publish(null::integer, 'x')`, 'DJR02', /must have a user_id/],
  [`djr.publish(null, 'x')`, 'DJR02', /must have a user_id/],
  [`djr.publish('1', 'x', null)`, 'DJR04', /must be a JSON object \(it is null\)/],
  [`djr.publish('1', 'x', 'null')`, 'DJR04', /must be a JSON object \(it is of type null\)/],
  [`djr.publish('1', 'x', '[]')`, 'DJR04', /must be a JSON object \(it is of type array\)/],
  [`djr.publish('1', 'two words')`, 'DJR01', /must have no white space.*"two words"/],
  [
    `djr.publish('1', 'reset')`,
    'DJR01',
    /must not be one that the stream and the client use themselves \(it is "reset"\)/,
  ],
  [`djr.publish_many('{}')`, 'DJR09', /^publish_many takes a JSON array of events \(what it got is of type object\)/],
  [`djr.publish_many('[1]')`, 'DJR09', /must be a JSON object \(it is of type number\)/],
  [`djr.publish_many('[{"user_id": 42.5, "type": "x"}]')`, 'DJR09', /user_id must be a whole number/],
  [`djr.publish_many('[{"user_id": 42.0, "type": "x"}]')`, 'DJR09', /user_id must be a whole number/],
  [`djr.configure(retention => '-1 day')`, 'DJR10', /^retention must not be negative \(it is -1 days\)/],
  [`djr.configure(channel => '')`, 'DJR10', /^channel must have 1 to 63 bytes \(it has 0\)/],
  [`djr.configure(activity => 'all')`, 'DJR10', /^activity must be off, summary or full \(it is "all"\)/],
  [`djr.configure(delivery => 'all')`, 'DJR10', /^delivery must be auto, notify or sweep \(it is "all"\)/],
  [`djr.set_delivery_mode(null)`, 'DJR10', /must be notify or sweep \(it is null\)/],
  [`djr.prune('-1 day')`, 'DJR10', /^older_than must not be negative \(it is -1 days\)/],
  [`djr.prune_batch(null, 0)`, 'DJR10', /^batch must be at least 1 \(it is 0\)/],
];

for (const [call, code, message] of refused) {
  test(`${call} is refused with ${code}: what must be, and then what was`, async (t) => {
    const db = await createDatabase(t);
    const error = await refusal(db, `select ${call}`);
    t.is(error.code, code);
    t.regex(error.message, message);
    t.is((await db.query('select from djr.event')).length, 0);
  });
}

test('the overloads for json make no call ambiguous, and a driver is told that a detail is jsonb', async (t) => {
  const db = await createDatabase(t);
  const client = await db.connect();
  const texts = ['?', "'42'", "'42'::text", "'42'::varchar", "'42'::name"];
  const numbers = ['42', '42::smallint', '42::bigint', '42.0', 'null'];
  const details = ['', '?', "'{}'", "'{}'::jsonb", "jsonb_build_object('a', 1)", 'null'];
  for (const name of ['publish', 'publish_topic', 'publish_public']) {
    const first = name === 'publish' ? [...texts, ...numbers] : name === 'publish_topic' ? texts : [''];
    for (const values of first.flatMap((user) =>
      texts.flatMap((type) => details.map((detail) => [user, type, detail])),
    )) {
      let parameter = 0;
      const call = `djr.${name}(${values.filter(Boolean).join(', ')})`.replaceAll('?', () => `$${++parameter}`);
      await t.notThrowsAsync(client.query(`prepare q as select ${call}`), call);
      const { rows } = await client.query('select parameter_types::text as types from pg_prepared_statements');
      const expected = values.flatMap((value, place) => (value === '?' ? [place === 2 ? 'jsonb' : 'text'] : []));
      t.is(rows[0].types, `{${expected}}`, call);
      await client.query('deallocate q');
    }
  }
});

test('publish_many takes jsonb only: of json PostgreSQL says that there is no such function, and asks for a cast', async (t) => {
  const db = await createDatabase(t);
  const error = await refusal(db, `select djr.publish_many(json_build_array())`);
  t.is(error.code, '42883');
  t.regex((error as { hint?: string }).hint ?? '', /add explicit type casts/);
});
