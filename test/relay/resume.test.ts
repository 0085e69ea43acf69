import { createDatabase } from '../helpers/database.js';
import { startNats, natsTest as test } from '../helpers/nats.js';
import { until } from '../helpers/server.js';
import { startEdge, startSource } from './relayed.js';

/** An edge that remembers next to nothing. */
const FORGETFUL = { historyEvents: 2 };

const publishMany = (db: { query(sql: string, values?: unknown[]): Promise<unknown> }, from: number, to: number) =>
  db.query(
    `select djr.publish(case n % 2 when 0 then 'ann' else 'bob' end, 'note', jsonb_build_object('n', n))
       from generate_series($1::int, $2::int) n`,
    [from, to],
  );

const even = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((n) => n % 2 === 0);

test('What an edge has no longer in memory it reads in the log, by sequence, for the client alone', async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  const source = await startSource(t, db, nats);
  const edge = await startEdge(t, nats, FORGETFUL);
  const first = await edge.streamOf('ann');
  await publishMany(db, 1, 10);
  await first.until('its events', () => first.events.length === 5);
  first.close();
  for (let from = 11; from < 500; from += 50) await publishMany(db, from, from + 49);
  const other = await source.streamOf('ann');
  const { lastEventId } = first;
  const back = await edge.streamOf('ann', '', { lastEventId });
  await back.until('all that it missed', () => back.events.length >= 250);
  await publishMany(db, 511, 512);
  await back.until('what comes next', () => back.events.length >= 251);
  t.deepEqual(
    back.events.map(({ data }) => data.n),
    even(11, 512),
  );
  t.deepEqual(back.resets, []);
  // It goes on from there at an instance on PostgreSQL.
  other.close();
  const there = await source.streamOf('ann', '', { lastEventId: back.lastEventId });
  await publishMany(db, 513, 514);
  await there.until('what comes next', () => there.events.some(({ data }) => data.n === 514));
  t.deepEqual(
    there.events.map(({ data }) => data.n),
    [514],
  );
});

test('What the log has no longer a source reads in storage, and what nobody has is a reset', async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  const source = await startSource(t, db, nats);
  const edge = await startEdge(t, nats, FORGETFUL);
  const [position] = await db.query<{ position: string }>('select djr.position()::text as position');
  await publishMany(db, 1, 100);
  await until('the log has them', async () => {
    const text = await edge.realtime.metrics();
    return /djr_events_total 100/.test(text);
  });
  // A source that finds no mark begins a new generation, behind these events.
  await source.realtime.stop();
  await nats.wipe();
  await db.query('delete from djr.relay_mark');
  await startSource(t, db, nats);
  const late = await startEdge(t, nats, FORGETFUL);
  const stream = await late.streamOf('ann', `?since=${encodeURIComponent(position!.position)}`);
  await stream.until('what storage has', () => stream.events.length >= 50);
  t.deepEqual(
    stream.events.map(({ data }) => data.n),
    even(1, 100),
  );
  stream.close();
  await db.query(`select djr.prune('0 seconds')`);
  const pruned = await late.streamOf('ann', `?since=${encodeURIComponent(position!.position)}`);
  await pruned.until('the reset', () => pruned.resets.length === 1);
  t.pass();
});

test('A hundred clients that come back to an edge at once miss nothing', async (t) => {
  const db = await createDatabase(t);
  const nats = await startNats(t);
  await startSource(t, db, nats);
  const edge = await startEdge(t, nats, FORGETFUL);
  const first = await edge.streamOf('ann');
  await publishMany(db, 1, 10);
  await first.until('its events', () => first.events.length === 5);
  first.close();
  await publishMany(db, 11, 300);
  const { lastEventId } = first;
  const streams = await Promise.all(
    Array.from({ length: 100 }, (_, i) => edge.streamOf(i % 2 ? 'ann' : 'bob', '', { lastEventId })),
  );
  for (const [i, stream] of streams.entries()) {
    await stream.until('all that it missed', () => stream.events.length >= 145);
    const expected = Array.from({ length: 290 }, (_, n) => n + 11).filter((n) => n % 2 === (i % 2 ? 0 : 1));
    t.deepEqual(
      stream.events.map(({ data }) => data.n).sort((a, b) => Number(a) - Number(b)),
      expected,
    );
  }
});
