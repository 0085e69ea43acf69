import type { ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { type Nats, startNats, natsTest as test } from '../helpers/nats.js';
import { until } from '../helpers/server.js';
import { type Relayed, startEdge, startSource } from './relayed.js';

interface Shop {
  readonly db: TestDatabase;
  readonly nats: Nats;
  readonly source: Relayed;
  readonly edge: Relayed;
}

async function start(t: ExecutionContext, options = {}): Promise<Shop> {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  const source = await startSource(t, db, nats, options);
  return { db, nats, source, edge: await startEdge(t, nats, options) };
}

const seal = async (db: TestDatabase, topic: string, user: string) =>
  (await db.query<{ seal: string }>('select djr.seal($1, $2::text) as seal', [topic, user]))[0]!.seal;

test('A seal opens a topic at an edge, one of another user does not, and djr.recheck takes it back there', async (t) => {
  const { db, edge } = await start(t);
  const ann = await edge.streamOf('ann', `?topic=room:7&seal=${await seal(db, 'room:7', 'ann')}`);
  const bob = await edge.streamOf('bob', `?topic=room:7&seal=${await seal(db, 'room:7', 'ann')}`);
  t.deepEqual(bob.frames[0]!.data.refused, ['room:7']);
  await db.query(`select djr.publish_topic('room:7', 'said', '{"n": 1}'), djr.publish('bob', 'own')`);
  await ann.event('said');
  await bob.event('own');
  t.deepEqual(bob.types, ['own']);
  await db.query(`select djr.recheck('ann', 'room:7')`);
  await ann.until('the topic left', () => ann.frames.some(({ data }) => data.type === 'left'));
});

test("The app's function says at an edge who may hear a topic by name", async (t) => {
  const { db, edge } = await start(t);
  await db.query(`create function public.may_hear(user_id text, topic text) returns boolean language sql
    as $$ select user_id = 'ann' $$`);
  await db.query(`grant execute on function public.may_hear to public`);
  await db.query(`select djr.configure(authorize_topic => 'public.may_hear')`);
  const ann = await edge.streamOf('ann', '?topic=room:7');
  const bob = await edge.streamOf('bob', '?topic=room:7');
  t.deepEqual(ann.frames[0]!.data.topics, ['room:7']);
  t.deepEqual(bob.frames[0]!.data.refused, ['room:7']);
});

test('djr.disconnect ends the streams of a user at an edge', async (t) => {
  const { db, edge } = await start(t);
  const stream = await edge.streamOf('ann');
  await db.query(`select djr.disconnect('ann', 'logged out')`);
  await stream.until('the end', () => stream.ended);
  t.deepEqual(stream.frames.at(-1)!.data, { type: 'disconnected', reason: 'logged out' });
});

test('What an edge sent, and what its pages acknowledge, is in djr.activity, and the edge in djr.instance', async (t) => {
  const { db, edge } = await start(t);
  await db.query(`select djr.configure(activity => 'summary')`);
  const stream = await edge.streamOf('ann');
  const [row] = await db.query<{ id: string }>(`select djr.publish('ann', 'note') as id`);
  const { id } = row!;
  await stream.event('note');
  const body = JSON.stringify({ id: Number(id), status: 'read' });
  const headers = { 'content-type': 'application/json', 'x-user': 'ann' };
  const answer = await fetch(`${edge.origin}/realtime/ack/`, { method: 'POST', headers, body });
  t.true(answer.ok, String(answer.status));
  await until('the activity', async () => {
    const rows = await db.query<{ status: string }>('select status from djr.activity where event_id = $1', [id]);
    const statuses = rows.map(({ status }) => status);
    return statuses.includes('sent') && statuses.includes('read');
  });
  await until('the row of the edge', async () => (await db.query('select from djr.instance')).length === 2);
});

test('Who hears a topic at one edge is told at another one', async (t) => {
  const options = { presence: true, retry: 0, authorizeTopic: () => true };
  const { db, edge, nats } = await start(t, options);
  const other = await startEdge(t, nats, options);
  const ann = await edge.streamOf('ann', '?topic=room:7');
  const bob = await other.streamOf('bob', '?topic=room:7');
  const isTold = (user: string) => (frame: { data: Record<string, unknown> }) =>
    frame.data.type === 'presence' && [frame.data.users, frame.data.joined].flat().includes(user);
  await ann.until('bob', () => ann.frames.some(isTold('bob')));
  await bob.until('ann', () => bob.frames.some(isTold('ann')));
  const online = await db.query<{ user_id: string }>(`select user_id from djr.online where topic = 'room:7'`);
  t.deepEqual(online.map(({ user_id }) => user_id).sort(), ['ann', 'bob']);
});

test('An edge refuses what needs a database, each with a sentence', async (t) => {
  const nats = { servers: 'nats://127.0.0.1:1' };
  for (const [option, value] of [
    ['admin', { authorize: () => true }],
    ['onReceive', (event: unknown) => event],
  ] as const) {
    const error = t.throws(() => createRealtime({ relay: nats, [option]: value }), { code: 'DJR_CONFIG' });
    t.regex(error.message, new RegExp(`^Option ${option}: an edge of a relay must not have it: `));
  }
  const edge = createRealtime({ relay: nats });
  for (const asked of [
    () => edge.publish({ scope: 'public', type: 'note', detail: {} }),
    () => edge.disconnect('ann'),
    () => edge.recheck('ann'),
  ]) {
    await t.throwsAsync(asked(), { code: 'DJR_EDGE', message: /needs a database/ });
  }
  t.throws(() => edge.consume('mail', () => {}), { code: 'DJR_EDGE', message: /^consume needs a database/ });
});

test('An edge without a source serves what it has, says that it is degraded, and is not unhealthy', async (t) => {
  const { db, edge, source } = await start(t);
  const first = await edge.stream();
  await db.query(`select djr.publish_public('one')`);
  await first.event('one');
  await source.realtime.stop();
  const isTold = (warning: string) => warning.startsWith('no source has written to the relay for ');
  await until('the warning', () => edge.realtime.health().warnings.some(isTold));
  t.is((await fetch(`${edge.origin}/realtime/healthz`)).status, 200);
  // At an edge nothing speaks of a pool.
  const unanswered =
    'no source of the relay answers: events are delivered, and acknowledgements and resumes from storage are not';
  await until('who does not answer', () => edge.realtime.health().warnings.includes(unanswered));
  const id = first.lastEventId;
  first.close();
  const back = await edge.stream('', { lastEventId: id });
  t.deepEqual(back.resets, []);
});
