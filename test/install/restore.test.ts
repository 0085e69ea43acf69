import test, { type ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { type Cluster, startCluster } from '../helpers/cluster.js';
import { notingPool, rowsRead } from '../helpers/readings.js';
import { recordingLogger, startServer, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

/** More than one batch of a sweep. */
const MANY = 5000;

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

async function startInstance(t: ExecutionContext, url: string, options = {}) {
  const { logger, lines } = recordingLogger();
  const { pool, readings } = notingPool(t, url);
  const database = { listen: url, pool };
  const realtime = createRealtime({ database, logger, heartbeat: 100, sweepInterval: 50, ...options });
  const subscribed: unknown[] = [];
  const server = await startServer(t, realtime);
  await realtime.start();
  realtime.subscribe(({ detail }) => subscribed.push(detail.n));
  return { ...server, realtime, lines, readings, subscribed };
}

/** Each subtransaction that writes takes an id. */
const spendXids = (cluster: Cluster, count: number) =>
  cluster.query(`
    create temporary table spent (n int);
    do $$
    begin
      for n in 1..${count} loop
        begin
          insert into spent values (n);
        exception when division_by_zero then null;
        end;
      end loop;
    end $$`);

/** What pg_dump of one and pg_restore into the other bring of the events: rows as they were, no trigger, the sequence. */
async function restore(from: Cluster, into: Cluster): Promise<void> {
  const [dump] = await from.query('select json_agg(event order by id)::text as rows, max(id) as last from djr.event');
  const client = await into.connect();
  await client.query('begin; set local session_replication_role = replica');
  await client.query(
    'insert into djr.event overriding system value select * from json_populate_recordset(null::djr.event, $1)',
    [dump!.rows],
  );
  await client.query("select setval(pg_get_serial_sequence('djr.event', 'id'), $1)", [dump!.last]);
  await client.query('commit');
  // As one does after a restore, or autovacuum within a minute.
  await client.query('analyze djr.event');
  const future = 'select count(*)::int as n from djr.event where xid >= pg_snapshot_xmax(pg_current_snapshot())';
  if ((await client.query(future)).rows[0].n === 0) throw new Error('no transaction id lies in the future');
  await client.end();
}

const INSERT_MANY = `insert into djr.event (scope, type, detail)
  select 'public', 'old', jsonb_build_object('n', -n) from generate_series(1, ${MANY}) n`;

const futureXids = async (cluster: Cluster): Promise<number> => {
  const [row] = await cluster.query(
    'select count(*)::int as n from djr.event where xid >= pg_snapshot_xmax(pg_current_snapshot())',
  );
  return row!.n;
};

const REPORT = /^events of another cluster are in the table/;

test('A dump restored elsewhere: ids of the old place are told to reset, new events come once, and no sweep reads the old ones', async (t) => {
  const old = await startCluster(t);
  const before = await startInstance(t, old.url);
  await spendXids(old, 2000);
  await old.query(INSERT_MANY);
  const left = await before.stream();
  await old.query(PUBLISH, [0]);
  const lastEventId = (await left.count(1))[0]!.id!;
  await before.realtime.stop();

  const cluster = await startCluster(t);
  await restore(old, cluster);
  await cluster.query('update djr.settings set pruned_xid = (select xid from djr.event order by xid desc limit 1)');
  const app = await startInstance(t, cluster.url, { historyEvents: 0 });
  t.is(await futureXids(cluster), 0);
  t.like(
    app.lines.find(({ message }) => REPORT.test(message)),
    { level: 'warn', context: { events: MANY + 1 } },
  );

  const back = await app.stream('', { lastEventId });
  t.regex(String((await back.event('reset')).data.reason), /replaced or restored/);
  for (const n of [1, 2]) await cluster.query(PUBLISH, [n]);
  const [first] = await back.count(2);
  t.deepEqual(numbers(back.events), [1, 2]);
  t.true(Number(first!.id!.split('-')[0]) > MANY, 'the numbers go on');
  // From storage: the reset moved what pruning had removed into the past as well.
  const resumed = await app.stream('', { lastEventId: first!.id! });
  await resumed.until('the second', () => numbers(resumed.events).includes(2));
  t.true(numbers(resumed.events).every((n) => Number(n) > 0));
  t.deepEqual(resumed.resets, []);
  t.deepEqual(app.subscribed, [1, 2]);
  await cluster.query('analyze djr.event');
  await until('a sweep that reads nothing', async () => (await rowsRead(cluster, app.readings.at(-1)!)) === 0);
});

test('A dump restored under a running instance is not delivered, no sweep reads it twice over, and new events come once', async (t) => {
  const old = await startCluster(t);
  await spendXids(old, 2000);
  await old.query(INSERT_MANY);
  const cluster = await startCluster(t);
  const app = await startInstance(t, cluster.url, { historyEvents: 0 });
  const stream = await app.stream();
  const { lastEventId } = stream;
  // While this is held, the old events stay as they came.
  const holder = await cluster.connect();
  await holder.query('select pg_advisory_lock(1)');
  await cluster.query(`
    create function hold() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(1); return null; end';
    create trigger hold before update on djr.event for each statement execute function hold()`);
  await restore(old, cluster);
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%repair_xids%'`;
  await until('the repair', async () => (await cluster.query(waiting)).length > 0);

  for (const n of [1, 2]) await cluster.query(PUBLISH, [n]);
  t.deepEqual(numbers(await stream.count(2)), [1, 2]);
  // Some of them share a reading, some have one of their own.
  const all = await Promise.all(Array.from({ length: 12 }, () => app.stream('', { lastEventId })));
  for (const one of all) t.deepEqual(numbers(await one.count(2)), [1, 2]);
  const resumed = all[0]!;
  const sweeps = app.readings.length;
  await until('some more sweeps', () => app.readings.length > sweeps + 5);
  t.true((await rowsRead(cluster, app.readings.at(-1)!)) <= 1001);
  t.true(app.realtime.health().ok);
  t.is((await cluster.query(waiting)).length, 1, 'one repair at a time');

  await holder.query('select pg_advisory_unlock(1)');
  await until('the report', () => app.lines.some(({ message }) => REPORT.test(message)));
  t.is(await futureXids(cluster), 0);
  // Beyond the transaction ids that the dump brought: none of them is new when its time comes.
  await spendXids(cluster, 3000);
  await cluster.query(PUBLISH, [3]);
  await cluster.query('analyze djr.event');
  await until('a sweep that reads nothing', async () => (await rowsRead(cluster, app.readings.at(-1)!)) === 0);
  t.deepEqual(numbers(await stream.count(3)), [1, 2, 3]);
  t.deepEqual(numbers(await resumed.count(3)), [1, 2, 3]);
  t.deepEqual(app.subscribed, [1, 2, 3]);
  t.deepEqual(stream.resets, []);
  t.is(app.lines.filter(({ message }) => REPORT.test(message)).length, 1);
});
