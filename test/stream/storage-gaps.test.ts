import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { parsePosition } from '../../src/event/position.js';
import { startCluster } from '../helpers/cluster.js';
import type { TestDatabase } from '../helpers/database.js';
import { startApp, type TestApp } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const numbers = (stream: Stream) => stream.events.map(({ data }) => data.n);

const publish = async (app: TestApp, ...numbers: number[]) => {
  for (const n of numbers) await app.realtime.publish({ type: 'n', userId: 'ann', detail: { n } });
};

/** A snapshot has the transactions of all databases of its server: no other test's may be among these. */
async function alone(t: ExecutionContext): Promise<TestDatabase> {
  const { url, query, connect } = await startCluster(t);
  const pool = new pg.Pool({ connectionString: url });
  t.teardown(() => pool.end());
  return { url, name: 'postgres', pool, query, connect: () => connect() };
}

test.serial(
  'Beside a transaction left open, who missed nothing of what was pruned resumes from storage; who missed it is told so',
  async (t) => {
    const db = await alone(t);
    const app = await startApp(t, { historyEvents: 0, sweepInterval: 50, heartbeat: 100 }, db);
    const open = await db.connect();
    await open.query('begin');
    await open.query("select djr.publish('ann', 'n', '{\"n\": 0}')");
    const { rows } = await open.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
    const first = await app.streamOf('ann');
    await publish(app, 1, 2, 3);
    const [third] = await db.query<{ xid: string }>('select xid::text as xid from djr.event order by id desc limit 1');
    await first.until('an id behind them', () => !parsePosition(first.lastEventId)!.frontier.isNew(Number(third!.xid)));
    t.is(parsePosition(first.lastEventId)!.frontier.xmin, Number(rows[0]!.xid), 'one transaction is open');
    first.close();
    const prune = async (n: number) => {
      await db.query("update djr.event set created_at = now() - interval '1 hour' where (detail->'n')::int <= $1", [n]);
      t.truthy((await db.query("select djr.prune('1 minute') as pruned"))[0]!.pruned);
    };
    await prune(3);
    await publish(app, 4);
    // By itself, and as one of many that share a reading.
    const crowd = await Promise.all(
      Array.from({ length: 8 }, () => app.streamOf('ann', '', { lastEventId: first.lastEventId })),
    );
    const { instance } = parsePosition(first.lastEventId)!;
    for (const one of crowd) {
      await one.count(1);
      // One that resumes reads storage again when the transaction has ended, and then nobody knows whether it was pruned.
      await one.until('it is live', () => parsePosition(one.lastEventId)!.instance === instance);
    }
    await open.query('commit');
    for (const one of crowd) {
      await one.count(2);
      t.deepEqual(numbers(one), [4, 0]);
      t.deepEqual(one.resets, []);
    }
    await prune(0);
    const again = await app.streamOf('ann', '', { lastEventId: first.lastEventId });
    t.regex((await again.event('reset')).data.reason as string, /pruned/);
  },
);

/** The transaction that switched storage on. */
async function switchOn(db: TestDatabase): Promise<number> {
  await db.query('select djr.configure(storage => true)');
  const [row] = await db.query<{ xid: string }>('select pruned_xid::text as xid from djr.settings');
  return Number(row!.xid);
}

test.serial(
  'Switched off and on again, storage lacks what was published meanwhile: who comes to another instance is told so',
  async (t) => {
    const db = await alone(t);
    const app = await startApp(t, { sweepInterval: 50, heartbeat: 100 }, db);
    const others = [await startApp(t, {}, db), await startApp(t, { historyEvents: 0 }, db)];
    const first = await app.streamOf('ann');
    const live = await Promise.all(others.map((other) => other.streamOf('ann')));
    await publish(app, 1);
    const [stored] = await db.query<{ xid: string }>('select xid::text as xid from djr.event');
    await first.until('an id behind it', () => parsePosition(first.lastEventId)!.frontier.xmin > Number(stored!.xid));
    const ids = [first.lastEventId];
    await db.query('select djr.configure(storage => false)');
    await publish(app, 2);
    await first.count(2);
    first.close();
    ids.push(first.events[0]!.id!, first.events[1]!.id!);
    await publish(app, 3);
    await switchOn(db);
    await publish(app, 4, 5);
    await Promise.all(live.map((stream) => stream.count(5)));
    // Started since, with all that there is in memory, with a part of it, and with nothing.
    for (const historyEvents of [100, 3, 2, 0]) others.push(await startApp(t, { historyEvents }, db));
    for (const [i, other] of others.entries()) {
      for (const lastEventId of ids) {
        const again = await other.streamOf('ann', '', { lastEventId });
        const reset = await again.event('reset');
        t.is(reset.data.reason, 'events since then have been pruned or were not stored', `instance ${i}`);
        t.deepEqual(numbers(again), []);
        t.is(again.resets.length, 1);
      }
    }
  },
);

test.serial('Who was there when storage was switched on again resumes anywhere', async (t) => {
  const db = await alone(t);
  await db.query('select djr.configure(storage => false)');
  const app = await startApp(t, { sweepInterval: 50, heartbeat: 100 }, db);
  const others = [await startApp(t, {}, db), await startApp(t, { historyEvents: 0 }, db)];
  const first = await app.streamOf('ann');
  await publish(app, 1);
  await first.count(1);
  const switched = await switchOn(db);
  await first.until('an id of since then', () => parsePosition(first.lastEventId)!.frontier.xmin > switched);
  first.close();
  await publish(app, 2, 3);
  for (const other of [...others, await startApp(t, {}, db)]) {
    const again = await other.streamOf('ann', '', { lastEventId: first.lastEventId });
    await again.count(2);
    t.deepEqual(numbers(again), [2, 3]);
    t.deepEqual(again.resets, []);
  }
});

test.serial(
  'What was published without storage, and is committed when storage is on again, is a `reset` for who left before',
  async (t) => {
    const db = await alone(t);
    await db.query('select djr.configure(storage => false)');
    const app = await startApp(t, { sweepInterval: 50, heartbeat: 100 }, db);
    const others = [await startApp(t, {}, db), await startApp(t, { historyEvents: 0 }, db)];
    const first = await app.streamOf('ann');
    // The first number of a sequence takes a transaction id by itself; those behind it do not.
    await publish(app, 0);
    await first.count(1);
    const open = await db.connect();
    await open.query('begin');
    await open.query("select djr.publish('ann', 'n', '{\"n\": 1}')");
    const switched = await switchOn(db);
    await first.until('an id of since then', () => !parsePosition(first.lastEventId)!.frontier.isNew(switched));
    first.close();
    const live = await Promise.all(others.map((other) => other.streamOf('ann')));
    await open.query('commit');
    await publish(app, 2);
    await Promise.all(live.map((stream) => stream.count(2)));
    for (const other of [...others, await startApp(t, {}, db)]) {
      const again = await other.streamOf('ann', '', { lastEventId: first.lastEventId });
      await again.event('reset');
      t.deepEqual(numbers(again), []);
    }
  },
);

test.serial(
  'What was published without storage, while a transaction was open that switched it on, is a `reset` for who left meanwhile',
  async (t) => {
    const db = await alone(t);
    await db.query('select djr.configure(storage => false)');
    const app = await startApp(t, { sweepInterval: 50, heartbeat: 100 }, db);
    const others = [await startApp(t, {}, db), await startApp(t, { historyEvents: 0 }, db)];
    const first = await app.streamOf('ann');
    const open = await db.connect();
    await open.query('begin');
    await open.query('select djr.configure(storage => true)');
    const { rows } = await open.query<{ xid: string }>('select pruned_xid::text as xid from djr.settings');
    const switched = Number(rows[0]!.xid);
    await publish(app, 1);
    await first.until('an id of meanwhile', () => parsePosition(first.lastEventId)!.frontier.xmax > switched);
    first.close();
    const live = await Promise.all(others.map((other) => other.streamOf('ann')));
    await publish(app, 2);
    await open.query('commit');
    await Promise.all(live.map((stream) => stream.count(1)));
    for (const other of [...others, await startApp(t, {}, db)]) {
      const again = await other.streamOf('ann', '', { lastEventId: first.lastEventId });
      await again.event('reset');
      t.deepEqual(numbers(again), []);
    }
  },
);
