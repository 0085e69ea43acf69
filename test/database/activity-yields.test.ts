import test from 'ava';
import { Activity } from '../../src/database/activity.js';
import type { Status } from '../../src/database/status.js';
import type { Store } from '../../src/database/store.js';
import { Sweeper } from '../../src/database/sweeper.js';
import { Envelope } from '../../src/delivery/envelope.js';
import { Feed } from '../../src/delivery/feed.js';
import { Frontier } from '../../src/delivery/frontier.js';
import { Tally } from '../../src/delivery/tally.js';
import { createDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

async function setUp(t: Parameters<typeof createDatabase>[0], patience: number) {
  const db = await createDatabase(t);
  const [event] = await db.query<{ id: string }>(`select djr.publish_global('bulk') as id`);
  const tally = new Tally(10);
  tally.level = 'summary';
  tally.sent(new Envelope(Number(event!.id), 1, 'public', null, 'bulk', 0, '{}'), null, 1);
  const state = { busy: true, asked: 0 };
  const busy = () => {
    state.asked += 1;
    return state.busy;
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const activity = new Activity({ pool: db.pool, logger, tally, instance: 'i', busy, patience });
  activity.start();
  t.teardown(() => activity.stop());
  return { activity, tally, state };
}

test('Activity waits while events are read in bulk, and is recorded then', async (t) => {
  const { activity, tally, state } = await setUp(t, Number.POSITIVE_INFINITY);
  await until('it has asked three times', () => state.asked >= 3);
  t.is(activity.rows, 0);
  t.is(tally.size, 1);
  state.busy = false;
  await until('it is recorded', () => activity.rows === 1);
  t.is(activity.dropped, 0);
});

test('Activity does not wait for ever', async (t) => {
  const { activity } = await setUp(t, 0);
  await until('it is recorded', () => activity.rows === 1);
  t.pass();
});

test('stop() records what waits for a bulk', async (t) => {
  const { activity, state } = await setUp(t, Number.POSITIVE_INFINITY);
  await until('it waits', () => state.asked >= 1);
  await activity.stop();
  t.is(activity.rows, 1);
});

test('A sweep is long from its first reading on that did not bring all, until it has ended', async (t) => {
  const frontier = new Frontier('e', 0, 1, 1, []);
  const status = { frontier, mode: 'sweep', startedAt: 0, prunedXid: 0 } as unknown as Status;
  const found = [1, 1000, 1001];
  const long: boolean[] = [];
  const feed = new Feed({ handOn() {}, maxWaiting: 10, turnBytes: 1e6, onLost() {} });
  feed.startAt(frontier);
  const sweep: Store['sweep'] = async (_since, _bornAfter, _check, onBatch) => {
    const count = found.shift() ?? 0;
    await onBatch(Array.from({ length: count }, (_, id) => new Envelope(id, 1, 'system', null, 'e', 0, '{}')));
    long.push(sweeper.long);
    return { status, foreign: false };
  };
  const sweeper: Sweeper = new Sweeper({
    store: { epoch: 'e', sweep } as unknown as Store,
    feed,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    interval: () => 1,
    listening: () => true,
    onStatus() {},
    onRestart: async () => {},
    onSwept() {},
    onForeign() {},
    handedOn: () => false,
  });
  sweeper.start(status);
  await until('four sweeps', () => long.length >= 4);
  await sweeper.stop();
  t.deepEqual(long.slice(0, 4), [false, false, true, false]);
  t.false(sweeper.long);
});

test('Of a bulk every event is recorded', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.db.query(`insert into djr.event (scope, type) select 'public', 'bulk' from generate_series(1, 12000)`);
  await stream.count(12_000);
  await until('it is recorded', async () => {
    const [row] = await app.db.query<{ count: string }>('select count(*) from djr.activity');
    return row!.count === '12000';
  });
  t.pass();
});
