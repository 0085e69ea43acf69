import test from 'ava';
import type { TestDatabase } from '../../helpers/database.js';
import { startApp } from '../../helpers/server.js';

const one = async (db: TestDatabase, sql: string): Promise<string> =>
  Object.values((await db.query<Record<string, string>>(sql))[0]!)[0]!;

/** Who hears what of room:7; the rooms that the option allows everyone but v. */
const authorizeTopic = (userId: string | null) => userId !== 'v';

for (const [name, options] of [
  ['its own instance, from memory', {}],
  ['its own instance, from storage', { historyEvents: 0 }],
] as const) {
  test(`A member who comes back to ${name}, gets what the topic had meanwhile; who may not hear it gets none of it`, async (t) => {
    const { db, streamOf } = await startApp(t, { authorizeTopic, ...options });
    const first = await streamOf('u', '?topic=room:7');
    await db.query(`select djr.publish_topic('room:7', 'one')`);
    await first.event('one');
    first.close();
    await db.query(
      `select djr.publish_topic('room:7', 'two'), djr.publish_topic('room:8', 'other'), djr.publish('u', 'own'), djr.publish_global('end')`,
    );
    const { lastEventId } = first;
    const back = await streamOf('u', '?topic=room:7', { lastEventId });
    await back.event('end');
    // At least once where memory does not reach back: the browser client drops repeats.
    t.deepEqual(
      back.types.filter((type) => type !== 'one'),
      ['two', 'own', 'end'],
    );
    const stranger = await streamOf('v', '?topic=room:7', { lastEventId });
    await stranger.event('end');
    t.deepEqual(stranger.types, ['end']);
    const without = await streamOf('u', '', { lastEventId });
    await without.event('end');
    t.deepEqual(without.types, ['own', 'end']);
  });
}

test('A member who comes back to another instance gets what the topic had meanwhile', async (t) => {
  const first = await startApp(t, { authorizeTopic });
  const second = await startApp(t, { authorizeTopic }, first.db);
  const stream = await first.streamOf('u', '?topic=room:7');
  await first.db.query(`select djr.publish_topic('room:7', 'one')`);
  await stream.event('one');
  stream.close();
  await first.db.query(`select djr.publish_topic('room:7', 'two')`);
  await first.db.query(`select djr.publish('u', 'end')`);
  const back = await second.streamOf('u', '?topic=room:7', { lastEventId: stream.lastEventId });
  await back.event('end');
  t.deepEqual(
    back.types.filter((type) => type !== 'one'),
    ['two', 'end'],
  );
});

test('?since= holds for topics: what the page has read does not come, what came behind it does', async (t) => {
  const { db, streamOf } = await startApp(t, { authorizeTopic });
  await db.query(`select djr.publish_topic('room:7', 'read')`);
  const since = await one(db, 'select djr.position()');
  await db.query(`select djr.publish_topic('room:7', 'missed')`);
  const stream = await streamOf('u', `?topic=room:7&since=${since}`);
  await db.query(`select djr.publish_topic('room:7', 'live')`);
  await stream.event('live');
  t.deepEqual(stream.types, ['missed', 'live']);
});

for (const [name, options] of [
  ['memory', {}],
  ['storage', { historyEvents: 0 }],
  ['storage, ahead of every sweep', { historyEvents: 0, sweepInterval: 60_000 }],
] as const) {
  test(`A topic that is joined later begins where the page read its state, before or after the stream's own place (${name})`, async (t) => {
    const { db, streamOf } = await startApp(t, { authorizeTopic, ...options });
    const stream = await streamOf('u', '?topic=room:7');
    await db.query(`select djr.publish_topic('room:8', 'old')`);
    const before = await one(db, 'select djr.position()');
    await db.query(`select djr.publish_topic('room:8', 'gap'), djr.publish_topic('room:7', 'seven')`);
    await stream.event('seven');
    const { lastEventId } = stream;
    stream.close();
    await db.query(`select djr.publish_topic('room:8', 'late'), djr.publish_topic('room:7', 'late7')`);
    const after = await one(db, 'select djr.position()');
    await db.query(`select djr.publish_topic('room:8', 'latest'), djr.publish('u', 'end')`);
    const early = await streamOf('u', `?topic=room:7&topic=room:8&since.room:8=${before}`, { lastEventId });
    await early.event('end');
    t.deepEqual(early.types.filter((type) => type !== 'seven').toSorted(), ['end', 'gap', 'late', 'late7', 'latest']);
    t.is(new Set(early.events.map(({ id }) => id!.split('-')[0])).size, early.events.length);
    const later = await streamOf('u', `?topic=room:7&topic=room:8&since.room:8=${after}`, { lastEventId });
    await later.event('end');
    t.deepEqual(
      later.types.filter((type) => type !== 'seven'),
      ['late7', 'latest', 'end'],
    );
  });
}

test('A topic begins where its page read it on a new stream, too, and nothing else comes from before', async (t) => {
  const { db, streamOf } = await startApp(t, { authorizeTopic });
  const witness = await streamOf('u');
  const since = await one(db, 'select djr.position()');
  await db.query(
    `select djr.publish_topic('room:8', 'gap'), djr.publish_topic('room:7', 'seven'), djr.publish('u', 'own')`,
  );
  await witness.event('own');
  const stream = await streamOf('u', `?topic=room:7&topic=room:8&since.room:8=${since}`);
  await db.query(`select djr.publish('u', 'end')`);
  await stream.event('end');
  t.deepEqual(stream.types, ['gap', 'end']);
});

test('A replay of an event of a topic reaches the topic only', async (t) => {
  const { db, streamOf, stream } = await startApp(t, { authorizeTopic });
  const [member, stranger, anonymous] = [
    await streamOf('u', '?topic=room:7'),
    await streamOf('v', '?topic=room:7'),
    await stream(),
  ];
  const id = await one(db, `select djr.publish_topic('room:7', 'message')`);
  await db.query(`select djr.replay($1::bigint), djr.publish_global('end')`, [id]);
  await Promise.all([member, stranger, anonymous].map((each) => each.event('end')));
  t.deepEqual(member.types, ['message', 'message', 'end']);
  t.deepEqual([stranger.types, anonymous.types], [['end'], ['end']]);
});

test('A shared reading of storage gives each client its own topics', async (t) => {
  const { db, streamOf } = await startApp(t, { authorizeTopic: () => true, historyEvents: 0 });
  const first = await streamOf('u', '?topic=room:0');
  const { lastEventId } = first;
  await db.query(`select djr.publish_topic('room:' || n % 20, 'm' || n) from generate_series(0, 99) n`);
  await db.query(`select djr.publish_global('end')`);
  const streams = await Promise.all(
    Array.from({ length: 60 }, (_, n) => streamOf(`u${n}`, `?topic=room:${n % 20}`, { lastEventId })),
  );
  for (const [n, stream] of streams.entries()) {
    await stream.event('end');
    const expected = Array.from({ length: 5 }, (_, k) => `m${(n % 20) + 20 * k}`);
    t.deepEqual(stream.types, [...expected, 'end']);
  }
});
