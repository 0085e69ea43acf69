import type { ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { type Nats, startNats, natsTest as test } from '../helpers/nats.js';
import { rawClient } from '../helpers/raw-client.js';
import { until } from '../helpers/server.js';
import { startEdge, startSource } from './relayed.js';

interface Relay {
  readonly db: TestDatabase;
  readonly nats: Nats;
}

async function startRelay(t: ExecutionContext): Promise<Relay> {
  return { db: await createDatabase(t), nats: await startNats(t) };
}

const publish = (db: TestDatabase, user: string | null, n: number) =>
  user === null
    ? db.query("select djr.publish_public('note', jsonb_build_object('n', $1::int))", [n])
    : db.query("select djr.publish($1, 'note', jsonb_build_object('n', $2::int))", [user, n]);

test('An edge without a connection to the database serves what is published, to whom it is for', async (t) => {
  const { db, nats } = await startRelay(t);
  await startSource(t, db, nats);
  const edge = await startEdge(t, nats);
  const ann = await edge.streamOf('ann');
  const bob = await edge.streamOf('bob');
  await publish(db, 'ann', 1);
  await publish(db, null, 2);
  await db.query("select djr.publish_system('note', '{\"n\": 3}')");
  await publish(db, 'bob', 4);
  await bob.until('its events', () => bob.events.length === 2);
  await ann.until('its events', () => ann.events.length === 2);
  t.deepEqual(
    ann.events.map(({ data }) => data.n),
    [1, 2],
  );
  t.deepEqual(
    bob.events.map(({ data }) => data.n),
    [2, 4],
  );
});

test('A client goes from an edge to another one, to an instance on PostgreSQL and back, and gets each event once', async (t) => {
  const { db, nats } = await startRelay(t);
  const source = await startSource(t, db, nats);
  const servers = [await startEdge(t, nats), await startEdge(t, nats), source];
  // As a page, which fires an event once: a stream may bring it again after a change of instance.
  const got = new Set<unknown>();
  let lastEventId: string | undefined;
  let n = 0;
  for (let round = 0; round < 12; round += 1) {
    const server = servers[round % servers.length]!;
    const stream = await server.streamOf('ann', '', lastEventId === undefined ? {} : { lastEventId });
    for (let i = 0; i < 3; i += 1) await publish(db, i === 1 ? 'ann' : null, ++n);
    await publish(db, 'bob', 0);
    await stream.until('what was published', () => {
      for (const { data } of stream.events) got.add(data.n);
      return got.size >= n;
    });
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

test('An event without a row reaches the clients of edges, in no log, and a client that resumes is told of none', async (t) => {
  const { db, nats } = await startRelay(t);
  await startSource(t, db, nats);
  const [edge, other] = await Promise.all([startEdge(t, nats), startEdge(t, nats)]);
  const [ann, witness] = await Promise.all([edge.streamOf('ann'), other.streamOf('ann')]);
  await publish(db, 'ann', 1);
  await ann.event('note');
  await db.query(`select djr.publish('ann', 'typing', store => false)`);
  await ann.event('typing');
  await publish(db, 'ann', 2);
  await ann.until('the next', () => ann.events.length === 3);
  t.deepEqual(ann.types, ['note', 'typing', 'note']);
  // The other edge has come as far: what it has not had yet, it would deliver once more.
  await witness.until('the next', () => witness.events.length === 3);
  const back = await other.streamOf('ann', '', { lastEventId: ann.lastEventId });
  await publish(db, 'ann', 3);
  await back.event('note');
  t.deepEqual(
    back.events.map(({ data }) => data.n),
    [3],
  );
  t.deepEqual(back.resets, []);
});

for (const interest of ['all', 'own'] as const) {
  test(`A client that reads large events slowly falls behind at an edge, and has all of them when it has read, interest ${interest}`, async (t) => {
    const { db, nats } = await startRelay(t);
    await db.query('select djr.configure(max_bytes => 262144)');
    await startSource(t, db, nats);
    const relay = { servers: nats.urls, interest };
    const edge = await startEdge(t, nats, { relay, maxClientBytes: 400_000, historyBytes: 64 * 1024 * 1024 });
    const late = await rawClient(t, edge);
    const other = await edge.stream();
    late.socket.pause();
    const large = (n: number) =>
      db.query("select djr.publish_public('n', jsonb_build_object('n', $1::int, 'pad', repeat('x', 200000)))", [n]);
    for (let n = 1; n <= 40; n += 1) await large(n);
    await other.until('all of them', () => other.events.length === 40);
    t.regex(await edge.realtime.metrics(), /^djr_fell_behind_total 1$/m);
    late.socket.resume();
    await until('it has read', () => /"n": 40[,}]/.test(late.text().slice(-300_000)));
    t.deepEqual(
      [...late.text().matchAll(/"n": (\d+)/g)].map(([, n]) => Number(n)),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    t.false(late.text().includes('reset'));
  });
}

test('While events are not stored, a client that comes back to an edge is told reset', async (t) => {
  const { db, nats } = await startRelay(t);
  await startSource(t, db, nats);
  const edge = await startEdge(t, nats);
  const first = await edge.streamOf('ann');
  await publish(db, 'ann', 1);
  await first.until('it', () => first.events.length === 1);
  await db.query('select djr.configure(storage => false)');
  await publish(db, 'ann', 2);
  await first.until('the event without a row', () => first.events.length === 2);
  const { lastEventId } = first;
  first.close();
  await publish(db, 'ann', 3);
  const back = await edge.streamOf('ann', '', { lastEventId });
  await back.until('the reset', () => back.resets.length === 1);
  t.deepEqual(back.events, []);
});

test("An event that is larger than the engine takes reaches the source's own clients and no edge, and is counted and logged", async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t, { config: 'max_payload: 65536' });
  await db.query('select djr.configure(max_bytes => 262144)');
  const source = await startSource(t, db, nats);
  const edge = await startEdge(t, nats);
  const [here, there] = [await source.streamOf('ann'), await edge.streamOf('ann')];
  await publish(db, 'ann', 1);
  await db.query(`select djr.publish('ann', 'note', jsonb_build_object('n', 2, 'pad', repeat('x', 100000)))`);
  await publish(db, 'ann', 3);
  await here.count(3);
  await there.until('the last', () => there.events.some(({ data }) => data.n === 3));
  t.deepEqual(
    there.events.map(({ data }) => data.n),
    [1, 3],
  );
  t.deepEqual(there.resets, []);
  t.regex(await source.realtime.metrics(), /^djr_relay_too_large_total 1$/m);
  const said = source.lines.filter(({ message }) => message.startsWith('an event is larger than the relay takes'));
  t.deepEqual(
    said.map(({ level }) => level),
    ['error'],
  );
});

test('Large events reach the clients of edges whole and in order, and a client that goes from one edge to another has each once', async (t) => {
  const { db, nats } = await startRelay(t);
  await db.query('select djr.configure(max_bytes => 262144)');
  await startSource(t, db, nats);
  const edges = [await startEdge(t, nats), await startEdge(t, nats, { historyEvents: 1 })];
  const [first, other] = edges as [(typeof edges)[0], (typeof edges)[0]];
  // Quotes are two bytes each in what goes through the engine.
  const publishLarge = (n: number) =>
    db.query(`select djr.publish('ann', 'note', jsonb_build_object('n', $1::int, 'pad', repeat('"', $2)))`, [
      n,
      n % 2 === 0 ? 100_000 : 1,
    ]);
  const before = await first.streamOf('ann');
  for (let n = 1; n <= 4; n += 1) await publishLarge(n);
  await before.count(4);
  before.close();
  for (let n = 5; n <= 12; n += 1) await publishLarge(n);
  for (const edge of [other, first]) {
    const after = await edge.streamOf('ann', '', { lastEventId: before.lastEventId });
    await after.count(8);
    t.deepEqual(
      [...before.events, ...after.events].map(({ data }) => [data.n, (data.pad as string).length]),
      Array.from({ length: 12 }, (_, i) => [i + 1, i % 2 === 0 ? 1 : 100_000]),
    );
    t.deepEqual(after.resets, []);
  }
});
