import test from 'ava';
import pg from 'pg';
import type { Envelope } from '../../src/event/envelope.js';
import { Store } from '../../src/source/postgres/store.js';
import { startCluster } from '../helpers/cluster.js';
import { createDatabase } from '../helpers/database.js';

/** More than a sweep reads in one statement. */
const MANY = 2500;
const PUBLISH_MANY = `insert into djr.event (scope, type) select 'public', 'many' from generate_series(1, ${MANY})`;
const PUBLISH = "insert into djr.event (scope, type) values ('public', 'one') returning id";

const always = () => true;

test('What commits in the middle of a long sweep is left to the next one, and comes once', async (t) => {
  const db = await createDatabase(t);
  const store = new Store({ pool: db.pool });
  const since = (await store.latest(0)).status.frontier;
  // It has a lower transaction id than all that the sweep reads, and commits after the sweep's snapshot.
  const slow = await db.connect();
  await slow.query('begin');
  const before = (await slow.query<{ id: string }>(PUBLISH)).rows[0]!.id;
  await db.query(PUBLISH_MANY);

  const first: Envelope[] = [];
  let after = '';
  const { status } = await store.sweep(since, undefined, always, async (envelopes) => {
    if (first.length === 0) {
      await slow.query('commit');
      after = (await db.query<{ id: string }>(PUBLISH))[0]!.id;
    }
    first.push(...envelopes);
  });
  t.is(first.length, MANY);
  t.is(new Set(first.map(({ id }) => id)).size, MANY);
  t.deepEqual(
    first.map(({ id }) => id),
    first.map(({ id }) => id).sort((a, b) => a - b),
  );
  t.true(first.every(({ type }) => type === 'many'));

  const second: Envelope[] = [];
  await store.sweep(status.frontier, undefined, always, async (envelopes) => void second.push(...envelopes));
  t.deepEqual(
    second.map(({ id }) => id),
    [Number(before), Number(after)],
  );
});

for (const [open, later] of [
  [1000, 0],
  [1001, 0],
  [2001, 1],
  [2500, 1500],
  [1, 3000],
] as const) {
  test(`A sweep finds ${open} events of a transaction that was open before, and ${later} of later ones, once and in order`, async (t) => {
    const db = await createDatabase(t);
    const store = new Store({ pool: db.pool });
    const publish = `insert into djr.event (scope, type) select 'public', 'many' from generate_series(1, $1)`;
    const transaction = await db.connect();
    await transaction.query('begin');
    await transaction.query(publish, [open]);
    // A later one that has ended puts the open one below xmax.
    await db.query(PUBLISH);
    const since = (await store.latest(0)).status.frontier;
    t.true(since.inProgress.length > 0);
    await transaction.query('commit');
    if (later > 0) await db.query(publish, [later]);

    const found: Envelope[] = [];
    await store.sweep(since, undefined, always, async (envelopes) => void found.push(...envelopes));
    t.is(found.length, open + later);
    const places = found.map(({ xid, id }) => [xid!, id] as const);
    t.deepEqual(
      places,
      [...new Map(places.map((place) => [place[1], place])).values()].sort(([a, x], [b, y]) => a - b || x - y),
    );
  });
}

test('What was pruned while a long sweep read is told with it', async (t) => {
  const db = await createDatabase(t);
  const store = new Store({ pool: db.pool });
  const since = (await store.latest(0)).status.frontier;
  await db.query(PUBLISH_MANY);
  let xid = 0;
  const { status } = await store.sweep(since, undefined, always, async (envelopes) => {
    xid = envelopes[0]!.xid!;
    await db.query('update djr.settings set pruned_xid = $1::xid8', [String(xid)]);
  });
  t.true(xid > 0);
  t.is(status.prunedXid, xid);
});

test('A long sweep in the middle of which PostgreSQL was started anew fails, for another to look at what that changed', async (t) => {
  const cluster = await startCluster(t);
  const pool = new pg.Pool({ connectionString: cluster.url });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const store = new Store({ pool });
  const since = (await store.latest(0)).status.frontier;
  await cluster.query(PUBLISH_MANY);
  let read = 0;
  const sweep = store.sweep(since, undefined, always, async (envelopes) => {
    read += envelopes.length;
    await cluster.server.stop('immediate');
    await cluster.server.start();
  });
  await t.throwsAsync(sweep, { message: /started anew in the middle of a sweep/ });
  t.true(read < MANY);
});
