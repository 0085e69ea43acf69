import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

const stored = `select scope, type, user_id, detail, replay_of from djr.event order by id`;

test('disconnect and recheck are stored and announced like events, with the transaction', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const client = await db.connect();
  await client.query(`begin; select djr.disconnect('u'); rollback`);
  await client.query(`select djr.disconnect('u', 'logged out')`);
  await client.query('select djr.disconnect(42)');
  await client.query(`select djr.recheck('u', 'room:7')`);
  await client.query('select djr.recheck()');
  const rows = [
    { scope: 'control', type: 'disconnect', user_id: 'u', detail: { reason: 'logged out' }, replay_of: '0' },
    { scope: 'control', type: 'disconnect', user_id: '42', detail: {}, replay_of: '0' },
    { scope: 'control', type: 'recheck', user_id: 'u', detail: { topic: 'room:7' }, replay_of: '0' },
    { scope: 'control', type: 'recheck', user_id: null, detail: {}, replay_of: '0' },
  ];
  t.deepEqual(await db.query(stored), rows);
  const headers = (await listener.messages(4)).map((message) => JSON.parse(message.split('\t')[0]!) as unknown[]);
  t.deepEqual(
    headers.map((header) => header.slice(2, 5)),
    rows.map(({ scope, type, user_id }) => [scope, user_id, type]),
  );
});

test('With storage off an order is a row, too, and the pruner removes it once it is an hour old', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('u', 'kept')`);
  await db.query('select djr.configure(storage => false)');
  const listener = await listen(db);
  await db.query(`select djr.disconnect('u')`);
  const [message] = await listener.messages(1);
  t.deepEqual((JSON.parse(message!.split('\t')[0]!) as unknown[]).slice(2, 5), ['control', 'u', 'disconnect']);
  const types = async () => (await db.query<{ type: string }>(stored)).map(({ type }) => type);
  await db.query('select djr._prune_turn(1000)');
  t.deepEqual(await types(), ['kept', 'disconnect']);
  await db.query(`update djr.event set created_at = created_at - interval '1 hour'`);
  await db.query('select djr._prune_turn(1000)');
  t.deepEqual(await types(), ['kept']);
});

test('With storage on orders are kept as events are', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.disconnect('u')`);
  await db.query(`update djr.event set created_at = created_at - interval '1 year'`);
  await db.query('select djr._prune_turn(1000)');
  t.is((await db.query(stored)).length, 1);
});

test('A user is named by an id of any type that ids have, in each order', async (t) => {
  const db = await createDatabase(t);
  const ID = '018f2b1c-7d1e-7000-8000-000000000001';
  const users: [user: string, stored: string | null][] = [
    [`'42'`, '42'],
    [`'42'::text`, '42'],
    [`'42'::varchar`, '42'],
    ['42', '42'],
    ['42::smallint', '42'],
    ['42::bigint', '42'],
    ['42.0', '42'],
    ['99999999999999999999', '99999999999999999999'],
    [`'${ID}'::uuid`, ID],
  ];
  for (const [user, expected] of users) {
    await db.query('truncate djr.event');
    await db.query(`select djr.recheck(${user}, 'room:7'), djr.recheck(${user}), djr.disconnect(${user})`);
    await db.query(
      `select djr.recheck(user_id => ${user}, topic => 'room:7'), djr.disconnect(user_id => ${user}, reason => 'x')`,
    );
    const rows = await db.query<{ user_id: string | null }>('select user_id from djr.event');
    t.deepEqual(
      rows.map(({ user_id }) => user_id),
      Array(5).fill(expected),
      user,
    );
  }
  await db.query('truncate djr.event');
  await db.query(
    `select djr.recheck(null, 'room:7'), djr.recheck(), djr.recheck(topic => 'room:7'), djr.recheck(null::int)`,
  );
  t.deepEqual(await db.query('select distinct user_id from djr.event'), [{ user_id: null }]);
  t.is((await refusal(db, 'select djr.recheck(42.5)')).code, 'DJR03');
});

test('An order for nobody, or for what is no user or topic, is refused', async (t) => {
  const db = await createDatabase(t);
  t.is((await refusal(db, 'select djr.disconnect(null::text)')).code, 'DJR03');
  t.is((await refusal(db, `select djr.disconnect('')`)).code, 'DJR03');
  t.is((await refusal(db, `select djr.recheck('')`)).code, 'DJR03');
  t.is((await refusal(db, `select djr.recheck('u', 'a b')`)).code, 'DJR18');
});

test('authorize_topics asks the function of the app; no function, null and errors are no', async (t) => {
  const db = await createDatabase(t);
  const ask = async (users: (string | null)[], topics: string[]) =>
    (await db.query('select * from djr.authorize_topics($1, $2)', [users, topics]))[0]!;
  t.deepEqual(await ask(['u'], ['r']), { allowed: [false], failure: null });
  await db.query(`
    create schema app;
    create table app.member (user_id text, topic text);
    insert into app.member values ('u', 'r'), ('v', 's');
    create function app.may_hear(user_id text, topic text) returns boolean language plpgsql as $$
    begin
      if topic = 'boom' then raise 'the function failed'; end if;
      if topic = 'null' then return null; end if;
      return exists (select from app.member m where m.user_id = may_hear.user_id and m.topic = may_hear.topic);
    end $$;
    select djr.configure(authorize_topic => 'app.may_hear')`);
  t.deepEqual(await ask(['u', 'u', 'v', null, 'u'], ['r', 's', 's', 'r', 'null']), {
    allowed: [true, false, true, false, false],
    failure: null,
  });
  t.deepEqual(await ask(['u', 'u', 'v'], ['r', 'boom', 's']), {
    allowed: [true, false, true],
    failure: 'the function failed',
  });
  await db.query(`select djr.configure(authorize_topic => '')`);
  t.deepEqual((await ask(['u'], ['r'])).allowed, [false]);
});

test('authorize_topic must name a function (text, text) returns boolean', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create function public.wrong(text, text) returns text language sql as 'select $1';
    create function public.many(text, text) returns setof boolean language sql as 'select true';
    create function public.step(boolean, text, text) returns boolean language sql as 'select true';
    create aggregate public.whole(text, text) (sfunc = public.step, stype = boolean)`);
  for (const name of [
    'public.none',
    'public.wrong',
    'public.many',
    'public.whole',
    'drop table x',
    'public.wrong(1) or true --',
  ]) {
    t.is((await refusal(db, 'select djr.configure(authorize_topic => $1)', [name])).code, 'DJR10', name);
  }
  await db.query(`create function public."May hear"(text, text) returns boolean language sql as 'select true'`);
  await db.query(`select djr.configure(authorize_topic => 'public."May hear"')`);
  t.deepEqual(await db.query('select authorize_topic from djr.settings'), [{ authorize_topic: 'public."May hear"' }]);
  t.deepEqual(await db.query(`select allowed from djr.authorize_topics('{u}', '{r}')`), [{ allowed: [true] }]);
  await db.query('drop function public."May hear"(text, text)');
  t.is((await refusal(db, `select djr.authorize_topics('{u}', '{r}')`)).code, 'DJR10');
});
