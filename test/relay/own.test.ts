import type { ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { type Nats, startNats, natsTest as test } from '../helpers/nats.js';
import { startRelay as startProxy } from '../helpers/relay.js';
import { until } from '../helpers/server.js';
import { type Relayed, startEdge, startSource } from './relayed.js';

const own = (nats: Nats, more: object = {}) => ({ relay: { servers: nats.urls, interest: 'own' as const }, ...more });

async function start(t: ExecutionContext): Promise<{ db: TestDatabase; nats: Nats; source: Relayed; edge: Relayed }> {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  const source = await startSource(t, db, nats);
  return { db, nats, source, edge: await startEdge(t, nats, own(nats)) };
}

const publish = (db: TestDatabase, user: string | null, n: number) =>
  user === null
    ? db.query("select djr.publish_public('note', jsonb_build_object('n', $1::int))", [n])
    : db.query("select djr.publish($1, 'note', jsonb_build_object('n', $2::int))", [user, n]);

const seal = async (db: TestDatabase, topic: string) =>
  (await db.query<{ seal: string }>('select djr.seal($1) as seal', [topic]))[0]!.seal;

const metric = async ({ realtime }: Relayed, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await realtime.metrics())?.[1]);

test('An edge with its own subjects takes in what is for its clients, and nothing else', async (t) => {
  const { db, edge, nats } = await start(t);
  const all = await startEdge(t, nats);
  const ann = await edge.streamOf('ann');
  const bob = await all.streamOf('bob');
  for (let n = 1; n <= 5; n += 1) await publish(db, 'bob', n);
  await publish(db, 'ann', 6);
  await publish(db, null, 7);
  await ann.until('its events', () => ann.events.length === 2);
  await bob.until('its events', () => bob.events.length === 6);
  t.deepEqual(
    ann.events.map(({ data }) => data.n),
    [6, 7],
  );
  t.is(await metric(edge, 'djr_events_total'), 2);
  t.is(await metric(all, 'djr_events_total'), 7);
  // Everybody, and ann.
  t.is(await metric(edge, 'djr_relay_audiences'), 2);
});

test('A client goes between edges with their own subjects, one with all and an instance on PostgreSQL, and gets each event once', async (t) => {
  const { db, edge, nats, source } = await start(t);
  const servers = [edge, await startEdge(t, nats, own(nats)), await startEdge(t, nats), source];
  // As a page, which fires an event once: a stream may bring it again after a change of instance.
  const got = new Set<unknown>();
  let lastEventId: string | undefined;
  let n = 0;
  for (let round = 0; round < 16; round += 1) {
    const server = servers[(round * 7) % servers.length]!;
    const stream = await server.streamOf('ann', '', lastEventId === undefined ? {} : { lastEventId });
    for (let i = 0; i < 3; i += 1) await publish(db, i === 1 ? 'ann' : null, ++n);
    await publish(db, 'bob', 0);
    await stream.until('what was published', () => {
      for (const { data } of stream.events) got.add(data.n);
      return got.size >= n;
    });
    t.deepEqual(stream.resets, []);
    stream.close();
    lastEventId = stream.lastEventId;
    // Between two streams.
    await publish(db, 'ann', ++n);
  }
  t.deepEqual(
    [...got],
    Array.from({ length: got.size }, (_, i) => i + 1),
  );
  t.true(got.size >= n - 1);
});

test('A client that comes back to an edge with its own subjects finds what it missed in memory, and on another one in the log', async (t) => {
  const { db, edge, nats } = await start(t);
  const first = await edge.streamOf('ann');
  await publish(db, 'ann', 1);
  await first.event('note');
  const { lastEventId } = first;
  first.close();
  for (let n = 2; n <= 20; n += 1) await publish(db, n % 2 === 0 ? 'ann' : 'bob', n);
  for (const server of [edge, await startEdge(t, nats, own(nats))]) {
    const back = await server.streamOf('ann', '', { lastEventId });
    await back.until('all that it missed', () => back.events.length >= 10);
    t.deepEqual(
      back.events.map(({ data }) => data.n),
      [2, 4, 6, 8, 10, 12, 14, 16, 18, 20],
    );
    t.deepEqual(back.resets, []);
    back.close();
  }
  t.regex(await edge.realtime.metrics(), /djr_resume_duration_seconds_count\{source="memory"\} 1/);
});

test('A topic that is joined at an edge with its own subjects begins where its page read it, and loses nothing', async (t) => {
  const { db, edge } = await start(t);
  const first = await edge.streamOf('ann');
  const [read] = await db.query<{ since: string }>('select djr.position()::text as since');
  const say = (n: number) =>
    db.query("select djr.publish_topic('room:7', 'said', jsonb_build_object('n', $1::int))", [n]);
  await say(1);
  await publish(db, 'ann', 2);
  await first.event('note');
  const query = new URLSearchParams({ topic: 'room:7', seal: await seal(db, 'room:7'), 'since.room:7': read!.since });
  const second = await edge.streamOf('ann', `?${query}`, { lastEventId: first.lastEventId });
  first.close();
  await say(3);
  await second.until('what was said', () => second.events.length === 2);
  t.deepEqual(
    second.events.map(({ data }) => data.n),
    [1, 3],
  );
});

test('What was published before a client came to an edge with its own subjects comes before what was published behind', async (t) => {
  const { db, edge } = await start(t);
  for (let round = 0; round < 12; round += 1) {
    // Of a user whose events this edge has not asked for.
    const user = `user-${round}`;
    const [read] = await db.query<{ since: string }>('select djr.position()::text as since');
    await publish(db, user, 2 * round);
    const stream = await edge.streamOf(user, `?since=${read!.since}`);
    await publish(db, null, 2 * round + 1);
    await stream.count(2);
    t.deepEqual(
      stream.events.map(({ data }) => data.n),
      [2 * round, 2 * round + 1],
    );
    stream.close();
  }
});

test('An event without a row reaches a client that has just come to an edge with its own subjects', async (t) => {
  const { db, edge } = await start(t);
  const ann = await edge.streamOf('ann');
  await db.query(`select djr.publish('ann', 'typing', store => false)`);
  await ann.event('typing');
  t.pass();
});

test('djr.disconnect and djr.recheck reach an edge with its own subjects', async (t) => {
  const { db, edge } = await start(t);
  const room = await edge.streamOf('bob', `?topic=room:7&seal=${await seal(db, 'room:7')}`);
  const stream = await edge.streamOf('ann');
  await db.query(`select djr.disconnect('ann', 'logged out')`);
  await stream.until('the end', () => stream.ended);
  await db.query(`select djr.recheck(topic => 'room:7')`);
  await room.until('the topic left', () => room.frames.some(({ data }) => data.type === 'left'));
  t.pass();
});

test('What an edge with its own subjects does not hear it reads, however often it is cut off', async (t) => {
  const { db, nats } = await start(t);
  const proxy = await startProxy(t, Number(new URL(nats.urls[0]!).port));
  const edge = await startEdge(t, nats, own({ ...nats, urls: [proxy.origin.replace('http', 'nats')] }));
  const ann = await edge.streamOf('ann');
  let n = 0;
  for (let round = 0; round < 4; round += 1) {
    await publish(db, 'ann', ++n);
    await ann.until('what is heard', () => ann.events.length === n);
    proxy.cut();
    for (let i = 0; i < 5; i += 1) await publish(db, i === 2 ? null : 'ann', ++n);
    await ann.until('what was not heard', () => ann.events.length === n);
  }
  t.deepEqual(
    ann.events.map(({ data }) => data.n),
    Array.from({ length: n }, (_, i) => i + 1),
  );
  t.deepEqual(ann.resets, []);
  t.true((await metric(edge, 'djr_relay_fills_total')) > 0);
});

test('An edge with its own subjects refuses backend subscribers, who would not get every event', (t) => {
  const edge = createRealtime({ relay: { servers: 'nats://127.0.0.1:1', interest: 'own' } });
  const error = t.throws(() => edge.subscribe(() => {}), { code: 'DJR_EDGE' });
  t.regex(error.message, /^subscribe needs every event, and this edge takes in those of its own clients only/);
  const wrong = { relay: { servers: 'nats://127.0.0.1:1', interest: 'some' as 'own' } };
  t.throws(() => createRealtime(wrong), {
    code: 'DJR_CONFIG',
    message: "Option relay.interest: must be 'all' or 'own'.",
  });
});

test('When the engine is wiped, clients of an edge with its own subjects miss nothing', async (t) => {
  const { db, edge, nats } = await start(t);
  const ann = await edge.streamOf('ann');
  let n = 0;
  while (n < 20) await publish(db, n % 3 === 0 ? null : 'ann', ++n);
  await nats.wipe();
  while (n < 40) await publish(db, n % 3 === 0 ? null : 'ann', ++n);
  const got = () => new Set(ann.events.map(({ data }) => Number(data.n)));
  await until('all of it', () => got().size >= n);
  t.deepEqual(
    [...got()].sort((a, b) => a - b),
    Array.from({ length: n }, (_, i) => i + 1),
  );
  t.deepEqual(ann.resets, []);
});
