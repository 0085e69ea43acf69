import test from 'ava';
import type { Event } from '../../../src/index.js';
import type { TestDatabase } from '../../helpers/database.js';
import { createRole } from '../../helpers/role.js';
import { startApp, until } from '../../helpers/server.js';
import { refusal } from '../../helpers/sql.js';

const seal = async (db: TestDatabase, topic: string, user: string): Promise<string> =>
  encodeURIComponent(
    (await db.query<{ seal: string }>('select djr.seal($1, $2::text) as seal', [topic, user]))[0]!.seal,
  );

/** Names that a careless comparison takes for one. */
const LOOKALIKES = [
  'room:é',
  'room:e\u0301',
  'room:É',
  'Room:é',
  'room:é.',
  'room:é..',
  'room:é/',
  'room:é/.',
  'room:%C3%A9',
  'room:%25C3%25A9',
  'room：é',
  'room:é\u200b',
  'room:é\u00ad',
  'room:%00é',
  'room:é%00',
  'room:é\\0',
  '"room:é"',
  "room:é'--",
  'room:é;',
  't:room:é',
  'u:u',
  '*',
  '__proto__',
  'constructor',
  'x'.repeat(255),
  'x'.repeat(254),
  '𝒳'.repeat(255),
];

test('Topics that look alike are never one another: each client hears its own alone, and a seal opens none but its own', async (t) => {
  const { db, streamOf } = await startApp(t, { maxConnectionsPerUser: 100 });
  const streams = await Promise.all(
    LOOKALIKES.map(async (topic) =>
      streamOf('u', `?topic=${encodeURIComponent(topic)}&seal=${await seal(db, topic, 'u')}`),
    ),
  );
  const own = await seal(db, LOOKALIKES[0]!, 'u');
  const all = LOOKALIKES.map((topic) => `topic=${encodeURIComponent(topic)}`).join('&');
  const other = await streamOf('u', `?${all}&seal=${own}`);
  t.deepEqual(other.frames[0]!.data.topics, [LOOKALIKES[0]]);
  t.deepEqual(other.frames[0]!.data.refused, LOOKALIKES.slice(1));
  t.deepEqual(Object.keys(other.frames[0]!.data.reasons as object).toSorted(), LOOKALIKES.slice(1).toSorted());
  // One transaction, and one each: what comes together is told apart, too.
  await db.query(`select djr.publish_topic(topic, 'm' || n) from unnest($1::text[]) with ordinality t (topic, n)`, [
    LOOKALIKES,
  ]);
  for (const [n, topic] of LOOKALIKES.entries())
    await db.query(`select djr.publish_topic($1, $2)`, [topic, `n${n + 1}`]);
  await db.query(`select djr.publish_public('end')`);
  for (const [n, stream] of streams.entries()) {
    await stream.event('end');
    t.deepEqual(stream.frames[0]!.data.topics, [LOOKALIKES[n]]);
    t.deepEqual(stream.types, [`m${n + 1}`, `n${n + 1}`, 'end'], LOOKALIKES[n]!.slice(0, 20));
    t.is(stream.events[0]!.data[':topic'], LOOKALIKES[n]);
  }
  await other.event('end');
  t.deepEqual(other.types, ['m1', 'n1', 'end']);
});

test('What can be no topic is refused before anybody is asked, and costs the others of the same request nothing', async (t) => {
  const asked: string[] = [];
  const { db, streamOf } = await startApp(t, {
    authorizeTopic: (_, topic) => {
      asked.push(topic);
      return false;
    },
  });
  await db.query(`
    create function may_hear(text, text) returns boolean language sql as 'select true';
    select djr.configure(authorize_topic => 'public.may_hear')`);
  const broken = [
    '',
    ' ',
    '%00',
    'room:7%00',
    'room:7%0A',
    '%0Droom:7',
    'room%3A7%20',
    '%E2%80%A8',
    '%EF%BB%BF',
    'x'.repeat(256),
  ];
  const stream = await streamOf('u', `?topic=room:7&${broken.map((topic) => `topic=${topic}`).join('&')}`);
  t.deepEqual(stream.frames[0]!.data.topics, ['room:7']);
  t.is((stream.frames[0]!.data.refused as string[]).length, broken.length);
  t.deepEqual(asked, ['room:7']);
});

test('More than 100 topics or seals, and a query beyond its bound, are refused; the same topic 100 times is one', async (t) => {
  const { streamOf } = await startApp(t, { authorizeTopic: () => true });
  const status = async (query: string) => {
    const stream = await streamOf('u', query, { early: true });
    await stream.until('an answer', () => stream.status !== 0);
    return stream.status;
  };
  const many = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}=r${n}`).join('&');
  t.is(await status(`?${many('topic', 101)}`), 400);
  t.is(await status(`?${many('seal', 101)}`), 400);
  t.is(await status(`?topic=${'x'.repeat(12_000)}`), 400);
  const same = await streamOf('u', `?${'topic=r&'.repeat(100)}`);
  t.deepEqual(same.frames[0]!.data.topics, ['r']);
});

test('A function that throws, fails an assertion, hangs or returns null says no, and costs the other questions nothing', async (t) => {
  // Long enough for the five hundred other questions on a busy machine.
  const { db, lines, streamOf } = await startApp(t, { hookTimeout: 5000 });
  await db.query(`
    create function may_hear(user_id text, topic text) returns boolean language plpgsql as $$
    begin
      if topic = 'throws' then raise 'no such room'; end if;
      if topic = 'asserts' then assert false, 'no such room'; end if;
      if topic = 'cancels' then raise sqlstate '57014'; end if;
      if topic = 'divides' then return 1 / 0 = 1; end if;
      if topic = 'null' then return null; end if;
      if topic like 'hangs%' then perform pg_sleep(600); end if;
      return true;
    end $$;
    select djr.configure(authorize_topic => 'public.may_hear')`);
  const open = (query: string) => Array.from({ length: 10 }, (_, n) => streamOf(`u${n}`, query));
  const rooms = Array.from({ length: 50 }, (_, n) => `room:${n}`);
  const asked = rooms.map((room) => `topic=${room}`).join('&');
  const failing = ['throws', 'asserts', 'cancels', 'divides', 'null', 'hangs1', 'hangs2'];
  const query = failing.map((topic) => `topic=${topic}`).join('&');
  const [bad, ...good] = await Promise.all([streamOf('v', `?${query}&topic=room:1`), ...open(`?${asked}`)]);
  for (const { frames } of good) t.deepEqual(frames[0]!.data.topics, rooms);
  t.deepEqual(bad!.frames[0]!.data.topics, ['room:1']);
  t.deepEqual(bad!.frames[0]!.data.refused, failing);
  t.true(lines.some(({ message }) => message.includes('could not be decided')));
  const busy = `select from pg_stat_activity where query like '%authorize_topics%' and state = 'active' and pid <> pg_backend_pid()
    and datname = current_database()`;
  await until('the questions that hung are cancelled', async () => (await db.query(busy)).length === 0);
});

test("A user whose id looks like the runtime's own keys gets their own events alone", async (t) => {
  const { db, stream } = await startApp(t, {
    authenticate: (request) => new URL(request.url).searchParams.get('user'),
    authorizeTopic: (userId) => userId === 'a',
  });
  const odd = ['a\nt:room:7', 'a,2', '1', '1,2', 't:room:7', '*', 'u:a', 'a\nt:room:7\n*'];
  const member = await stream('?user=a&topic=room:7');
  const streams = await Promise.all(odd.map((user) => stream(`?user=${encodeURIComponent(user)}&topic=room:7`)));
  const client = await db.connect();
  await client.query('begin');
  await client.query(`select djr.publish('a', 'private'), djr.publish_topic('room:7', 'room')`);
  await client.query(`select djr.publish(u, 'own_' || n) from unnest($1::text[]) with ordinality t (u, n)`, [odd]);
  await client.query(`select djr.publish_public('end')`);
  await client.query('commit');
  await member.event('end');
  t.deepEqual(member.types, ['private', 'room', 'end']);
  for (const [n, stream] of streams.entries()) {
    await stream.event('end');
    t.deepEqual(stream.types, [`own_${n + 1}`, 'end'], JSON.stringify(odd[n]));
  }
});

test('An event that waits for beforeSend does not reach a client that has lost the topic meanwhile', async (t) => {
  let member = true;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let held = false;
  const { db, streamOf } = await startApp(t, {
    authorizeTopic: () => member,
    beforeSend: async (event) => {
      if (event.topic === null) return event;
      held = true;
      await gate;
      return event;
    },
  });
  const stream = await streamOf('u', '?topic=room:7');
  await db.query(`select djr.publish_topic('room:7', 'first'), djr.publish_topic('room:7', 'second')`);
  await until('beforeSend has the event', () => held);
  member = false;
  await db.query(`select djr.recheck('u')`);
  await stream.event('left');
  open();
  await db.query(`select djr.publish('u', 'end')`);
  await stream.event('end');
  t.deepEqual(stream.types, ['end']);
});

test('A publisher can make no order, and nobody can have one carried out twice', async (t) => {
  const { db, streamOf } = await startApp(t);
  const stream = await streamOf('u');
  const publisher = await createRole(t, db, 'publisher');
  await db.query('select djr.grant_publish($1)', [publisher.role]);
  const refused: [sql: string, code: string][] = [
    [`insert into djr.event (scope, type, user_id) values ('control', 'disconnect', 'u')`, 'DJR02'],
    [`insert into djr.event (scope, type, user_id, replay_of) values ('control', 'disconnect', 'u', 0)`, '42501'],
    [`select djr.publish_many('[{"scope": "control", "type": "disconnect", "user_id": "u"}]')`, 'DJR02'],
    [`select djr._order('disconnect', 'u', null)`, '42501'],
    [`select djr.disconnect('u')`, '42501'],
    [`select djr.recheck('u')`, '42501'],
    [`select djr.seal('room:7', 'u')`, '42501'],
    [`select djr._notify_only('control', 'u', 'disconnect', '{}', null)`, '42501'],
  ];
  for (const [sql, code] of refused) t.is((await refusal(publisher, sql)).code, code, sql);

  await db.query(`select djr.disconnect('u')`);
  await stream.end();
  const again = await streamOf('u');
  const orders = await db.query<{ id: string }>(`select id from djr.event where scope = 'control'`);
  t.is((await refusal(db, 'select djr.replay($1::bigint)', [orders[0]!.id])).code, 'DJR07');
  await db.query(`select djr.publish('u', 'one')`);
  const all = await refusal(db, 'select djr.replay(array_agg(id order by id)) from djr.event');
  t.is(all.code, 'DJR07');
  t.regex(all.message, /there is no event \d+ that can be replayed/);
  await db.query(`select djr.publish('u', 'end')`);
  await again.event('end');
  t.false(again.ended);
});

test('An order on a channel that is not the own one is heard by nobody', async (t) => {
  const { db, streamOf } = await startApp(t);
  const stream = await streamOf('u');
  const anybody = await createRole(t, db, 'anybody');
  const order = JSON.stringify([1, null, 'control', 'u', 'disconnect', Date.now(), null]);
  for (const channel of ['djr', 'djr_event', 'djr_events', 'djr.event', 'control']) {
    await anybody.query('select pg_notify($1, $2)', [channel, `${order}\t{}`]);
  }
  await db.query(`select djr.publish('u', 'end')`);
  await stream.event('end');
  t.false(stream.ended);
});

test('onReceive sees and may change the topic, beforeSend sees it, and no hook or subscriber sees an order', async (t) => {
  const seen: Record<string, Event[]> = { received: [], sent: [], subscribed: [] };
  const { db, realtime, streamOf } = await startApp(t, {
    authorizeTopic: (userId, topic) => topic === `room:${userId}`,
    onReceive: (event) => {
      seen.received!.push(event);
      if (event.type === 'moved') return { ...event, topic: 'room:b' };
      if (event.type === 'opened') return { ...event, scope: 'public', topic: null };
      // Who forgets one of the two must not make it public.
      if (event.type === 'half') return { ...event, topic: null };
      return event;
    },
    beforeSend: (event) => {
      seen.sent!.push(event);
      return event;
    },
  });
  realtime.subscribe((event: Event) => seen.subscribed!.push(event));
  const [a, b] = [await streamOf('a', '?topic=room:a'), await streamOf('b', '?topic=room:b')];
  const c = await streamOf('c');
  for (const type of ['kept', 'moved', 'half', 'opened'])
    await db.query(`select djr.publish_topic('room:a', $1)`, [type]);
  await db.query(`select djr.disconnect('c'), djr.recheck('c')`);
  await c.end();
  await db.query(`select djr.publish_public('end')`);
  await Promise.all([a.event('end'), b.event('end')]);
  t.deepEqual(a.types, ['kept', 'opened', 'end']);
  t.deepEqual(b.types, ['moved', 'opened', 'end']);
  t.deepEqual(
    seen.received!.map(({ type, topic }) => [type, topic]),
    [...['kept', 'moved', 'half', 'opened'].map((type) => [type, 'room:a']), ['end', null]],
  );
  t.deepEqual([...new Set(seen.sent!.map(({ type, topic }) => `${type} ${topic}`))].toSorted(), [
    'end null',
    'kept room:a',
    'moved room:b',
    'opened null',
  ]);
  t.deepEqual(
    seen.subscribed!.map(({ type }) => type),
    ['kept', 'moved', 'opened', 'end'],
  );
});
