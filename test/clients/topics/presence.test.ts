import test from 'ava';
import { startApp } from '../../helpers/server.js';
import type { Stream } from '../../helpers/stream.js';

const options = { presence: true, retry: 0, authorizeTopic: () => true };

const presence = (stream: Stream) =>
  stream.frames.filter(({ data }) => data.type === 'presence').map(({ data }) => data);

/** What a page that follows the frames knows. */
function present(stream: Stream): string[] {
  let users = new Set<string>();
  for (const frame of presence(stream)) {
    if (frame.users) users = new Set(frame.users as string[]);
    for (const user of (frame.joined ?? []) as string[]) users.add(user);
    for (const user of (frame.left ?? []) as string[]) users.delete(user);
  }
  return [...users].sort();
}

const sees = (stream: Stream, users: string[]) =>
  stream.until(`presence of ${users}, there are ${present(stream)}`, () => String(present(stream)) === String(users));

test('Who hears a topic is told who is there, who came and who went, across instances; a user with several tabs is one', async (t) => {
  const first = await startApp(t, options);
  const second = await startApp(t, options, first.db);
  const a = await first.streamOf('a', '?topic=room:7');
  await sees(a, ['a']);
  const b = await second.streamOf('b', '?topic=room:7');
  const tab = await second.streamOf('b', '?topic=room:7');
  const elsewhere = await first.streamOf('c', '?topic=room:8');
  await Promise.all([sees(a, ['a', 'b']), sees(b, ['a', 'b']), sees(elsewhere, ['c'])]);
  t.deepEqual(
    await first.db.query(
      'select topic, user_id, streams from djr.online where topic is not null order by topic, user_id',
    ),
    [
      { topic: 'room:7', user_id: 'a', streams: 1 },
      { topic: 'room:7', user_id: 'b', streams: 2 },
      { topic: 'room:8', user_id: 'c', streams: 1 },
    ],
  );
  t.deepEqual(
    (await first.db.query('select user_id from djr.online where topic is null order by user_id')).map(
      ({ user_id }) => user_id,
    ),
    ['a', 'b', 'c'],
  );
  b.close();
  tab.close();
  await sees(a, ['a']);
  t.deepEqual(presence(a).at(-1), { type: 'presence', topic: 'room:7', joined: [], left: ['b'], count: 1 });
  const complaints = [...first.lines, ...second.lines].filter(({ level }) => level === 'warn' || level === 'error');
  t.deepEqual(complaints, [], 'what instances tell one another is no rubbish to any of them');
});

test('A reload is neither a leave nor a join', async (t) => {
  const { streamOf, db } = await startApp(t, options);
  const a = await streamOf('a', '?topic=room:7');
  let b = await streamOf('b', '?topic=room:7');
  await sees(a, ['a', 'b']);
  const before = presence(a).length;
  for (let n = 0; n < 3; n += 1) {
    b.close();
    b = await streamOf('b', '?topic=room:7');
    await sees(b, ['a', 'b']);
  }
  // What comes behind it shows that nothing came in between.
  await streamOf('c', '?topic=room:7');
  await sees(a, ['a', 'b', 'c']);
  t.is(presence(a).length, before + 1);
  await db.query('select 1');
});

test('A stream that loses a topic is present there no more', async (t) => {
  const allowed = new Set(['a', 'b']);
  const { streamOf, db } = await startApp(t, { ...options, authorizeTopic: (user) => allowed.has(user!) });
  const a = await streamOf('a', '?topic=room:7');
  await streamOf('b', '?topic=room:7');
  await sees(a, ['a', 'b']);
  allowed.delete('b');
  await db.query(`select djr.recheck('b')`);
  await sees(a, ['a']);
  t.pass();
});

test('A hundred users who come at once are a few frames, and anonymous clients are nobody', async (t) => {
  const { streamOf, stream } = await startApp(t, options);
  const a = await streamOf('a', '?topic=room:7');
  await sees(a, ['a']);
  await stream('?topic=room:7');
  const users = Array.from({ length: 100 }, (_, n) => `u${String(n).padStart(3, '0')}`);
  await Promise.all(users.map((user) => streamOf(user, '?topic=room:7')));
  await sees(a, ['a', ...users]);
  t.true(presence(a).length < 30, `${presence(a).length} frames`);
});

test('Presence costs nothing and tells nothing until it is switched on', async (t) => {
  const { db, streamOf } = await startApp(t, { authorizeTopic: () => true });
  const a = await streamOf('a', '?topic=room:7');
  await db.query(`select djr.publish('a', 'end')`);
  await a.event('end');
  t.deepEqual(presence(a), []);
  t.deepEqual(await db.query('select * from djr.online'), []);
});

test('After PostgreSQL has lost what it was told, as an unlogged table is, it is told again', async (t) => {
  const { db, streamOf } = await startApp(t, options);
  const a = await streamOf('a', '?topic=room:7');
  await sees(a, ['a']);
  await db.query('delete from djr.presence');
  await db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  const find = () => db.query(`select from djr.online where topic = 'room:7'`).catch(() => []);
  while ((await find()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  t.pass();
});
