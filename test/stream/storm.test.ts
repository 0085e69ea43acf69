import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { parsePosition } from '../../src/event/position.js';
import type { TestDatabase } from '../helpers/database.js';
import { notingPool } from '../helpers/readings.js';
import { startApp, type TestApp } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const numbers = (stream: Stream): unknown[] => stream.events.map(({ data }) => data.n);

/** Events `from` to `to`, in one statement each thousand; each fifth is public, the others belong to four users. */
async function publish(db: TestDatabase, from: number, to: number, type = 'n'): Promise<void> {
  await db.query(
    `insert into djr.event (scope, user_id, type, detail)
     select case n % 5 when 0 then 'public' else 'user' end, case n % 5 when 0 then null else 'u' || n % 5 end, $3,
            jsonb_build_object('n', n)
       from generate_series($1::int, $2::int) n`,
    [from, to, type],
  );
}

const mine = (user: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((n) => n % 5 === 0 || n % 5 === user);

interface Forgetful {
  readonly app: TestApp;
  /** Readings of events for who resumes, so far: a sweep's has no condition on whom an event is for. */
  reads(): number;
  /** All clients at once, as after the loss of an instance: none is served before all are there. */
  storm(clients: { user: number; id: string; query?: string }[]): Promise<Stream[]>;
}

/** An instance that has no event in memory. */
async function forgetful(t: ExecutionContext, db: TestDatabase, options = {}): Promise<Forgetful> {
  const { pool, readings } = notingPool(t, db.url);
  let held: (() => void)[] | undefined;
  const connect = pool.connect.bind(pool) as (...all: unknown[]) => unknown;
  // On a busy machine clients come one by one, and each would be served before the next is there.
  const holding = (...all: unknown[]): unknown => {
    if (!held) return connect(...all);
    held.push(() => connect(...all));
    return undefined;
  };
  Object.assign(pool, { connect: holding });
  const app = await startApp(t, { database: { pool, listen: db.url }, historyEvents: 0, ...options }, db);
  return {
    app,
    reads: () =>
      readings.filter(({ text }) => text.includes("scope = 'public'") || text.includes("scope <> 'system'")).length,
    async storm(clients) {
      held = [];
      const streams = await Promise.all(
        clients.map(({ user, id, query }) => app.streamOf(`u${user}`, query, { lastEventId: id })),
      );
      const waiting = held;
      held = undefined;
      for (const go of waiting) go();
      return streams;
    },
  };
}

/** So many events have come, and a heartbeat has moved the id past all that there was: who comes back elsewhere gets none of them again. */
async function caughtUp(stream: Stream, db: TestDatabase, count: number): Promise<void> {
  await stream.count(count);
  const [now] = await db.query<{ xmax: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as xmax');
  await stream.until('the id', () => (parsePosition(stream.lastEventId)?.frontier.xmax ?? 0) >= Number(now!.xmax));
}

test('However many clients come back at once, storage is read a handful of times, and each gets what it missed', async (t) => {
  const gone = await startApp(t, { sweepInterval: 20, heartbeat: 100 });
  const { db } = gone;
  const streams = await Promise.all([1, 2, 3, 4].map((user) => gone.streamOf(`u${user}`)));
  await publish(db, 1, 50);
  for (const stream of streams) await caughtUp(stream, db, 20);
  const ids = streams.map(({ lastEventId }) => lastEventId);
  await gone.realtime.stop();
  await publish(db, 51, 100);
  await publish(db, 101, 110, 'other');

  // Memory holds what is published meanwhile, and nothing that they missed: a reading is of use until memory ends.
  const { reads, storm } = await forgetful(t, db, { historyEvents: 10 });
  const before = reads();
  const clients = Array.from({ length: 400 }, (_, i) => ({
    user: (i % 4) + 1,
    id: ids[i % 4]!,
    query: i % 3 === 0 ? '?types=other' : '',
  }));
  const back = await storm(clients);
  await publish(db, 111, 115, 'other');
  await Promise.all(back.map((stream) => stream.until('the last', () => numbers(stream).includes(115))));
  for (const [i, { user, query }] of clients.entries()) {
    t.deepEqual(numbers(back[i]!), mine(user, query ? 101 : 51, 115));
    t.deepEqual(back[i]!.resets, []);
  }
  // Three read by themselves, and two readings are for all others: one that had begun before they came.
  t.true(reads() - before <= 5, `${reads() - before} readings for 400 clients`);
});

test('Clients that were cut off at different times get each what is new to them, what committed late included', async (t) => {
  const gone = await startApp(t, { sweepInterval: 20, heartbeat: 100 });
  const { db } = gone;
  const late = new pg.Client(db.url);
  await late.connect();
  t.teardown(() => late.end());
  await late.query('begin');
  await late.query("select djr.publish_global('n', '{\"n\": 0}')");
  const stream = await gone.streamOf('u1');
  const ids: { id: string; next: number }[] = [];
  for (let batch = 0; batch < 10; batch += 1) {
    await publish(db, batch * 10 + 1, batch * 10 + 10);
    await caughtUp(stream, db, mine(1, 1, batch * 10 + 10).length);
    ids.push({ id: stream.lastEventId, next: batch * 10 + 11 });
  }
  await late.query('commit');
  await stream.until('what committed late', () => numbers(stream).includes(0));
  await gone.realtime.stop();
  await publish(db, 101, 120);

  const { reads, storm } = await forgetful(t, db);
  const before = reads();
  const clients = ids.flatMap(({ id, next }) => [1, 2, 3, 4, 1, 2, 3, 4].map((user) => ({ user, id, next })));
  const back = await storm(clients);
  await Promise.all(back.map((s) => s.until('the last', () => numbers(s).includes(120))));
  for (const [i, { user, next }] of clients.entries()) {
    t.deepEqual(numbers(back[i]!), [0, ...mine(user, next, 120)]);
  }
  t.true(reads() - before <= 5, `${reads() - before} readings for ${clients.length} clients`);
});

test('Where more was missed than one reading brings, who missed less is served from it, and the others by themselves', async (t) => {
  const gone = await startApp(t);
  const { db } = gone;
  const stream = await gone.streamOf('u1');
  const old = stream.lastEventId;
  await gone.realtime.stop();
  // One transaction each: the older ones are those that have no room.
  for (let from = 1; from <= 24_000; from += 1000) await publish(db, from, from + 999);
  const { app, reads, storm } = await forgetful(t, db, { resumeLimit: 9000 });
  const young = (await app.streamOf('u1')).lastEventId;
  await publish(db, 24_001, 24_100);
  // Of 24,100 events u1 may have 9,640, and who wants one type only 100 of them.
  await publish(db, 24_101, 24_105, 'rare');
  const before = reads();
  const back = await storm([
    ...Array.from({ length: 20 }, () => ({ user: 1, id: old, query: '?types=rare' })),
    ...Array.from({ length: 20 }, () => ({ user: 1, id: old })),
    ...Array.from({ length: 20 }, () => ({ user: 1, id: young })),
  ]);
  await Promise.all(back.slice(20, 40).map((s) => s.event('reset')));
  const served = [...back.slice(0, 20), ...back.slice(40)];
  await Promise.all(served.map((s) => s.until('the last', () => numbers(s).includes(24_105))));
  for (const s of back.slice(0, 20)) t.deepEqual(numbers(s), mine(1, 24_101, 24_105));
  for (const s of back.slice(40)) t.deepEqual(numbers(s), mine(1, 24_001, 24_105));
  // Who lacks too much of what one reading brought is told so without a reading; who wants little of much reads alone.
  t.true(reads() - before < back.length, `${reads() - before} readings`);
});

test('A reading for many that fails ends their streams, and they come back with the ids that they had', async (t) => {
  const gone = await startApp(t);
  const { db } = gone;
  const id = (await gone.streamOf('u1')).lastEventId;
  await gone.realtime.stop();
  await publish(db, 1, 10);
  const { app, storm } = await forgetful(t, db, { sweepInterval: 60_000 });
  const clients = Array.from({ length: 40 }, () => ({ user: 1, id }));
  await db.query('alter table djr.event rename to event_away');
  const failed = await storm(clients);
  await Promise.all(failed.map((s) => s.end()));
  await db.query('alter table djr.event_away rename to event');
  const back = await storm(clients);
  await Promise.all(back.map((s) => s.count(4)));
  for (const s of back) t.deepEqual(numbers(s), mine(1, 1, 10));
  // Once a reading, and not once a client: three had one of their own.
  const said = app.lines.filter(({ message }) => message.startsWith('a resume failed'));
  t.true(said.length >= 1 && said.length <= 5, `${said.length} lines for ${clients.length} clients`);
});
