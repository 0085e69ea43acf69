import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { startCluster, startStandby } from '../helpers/cluster.js';
import { startProxy } from '../helpers/proxy.js';
import { recordingLogger, startServer, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

test('When a standby that lagged takes over, every client is told to reset once, and gets what the new primary publishes', async (t) => {
  const primary = await startCluster(t);
  const standby = await startStandby(t, primary);
  const proxy = await startProxy(t, primary.url);
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: proxy.url, logger, heartbeat: 100, sweepInterval: 100 });
  const server = await startServer(t, realtime);
  await realtime.start();
  const subscribed: unknown[] = [];
  realtime.subscribe(({ detail }) => subscribed.push(detail.n));
  const stream = await server.stream();
  await primary.query(PUBLISH, [1]);
  await stream.count(1);
  await until('the standby has it', async () => (await standby.query('select from djr.event')).length === 1);

  // From here on the standby hears nothing: what it takes over without is lost.
  await standby.query("alter system set primary_conninfo = ''");
  await standby.query('select pg_reload_conf()');
  await until('the standby is cut off', async () => {
    const [row] = await standby.query('select count(*)::int as receivers from pg_stat_wal_receiver');
    return row!.receivers === 0;
  });
  await primary.query(PUBLISH, [2]);
  await primary.query(PUBLISH, [3]);
  const [, , lost] = await stream.count(3);
  await primary.server.stop('immediate');
  await standby.query('select pg_promote()');
  t.deepEqual(await standby.query("select detail -> 'n' as n from djr.event"), [{ n: 1 }], 'the standby did not lag');
  // Published before the runtime is there: its first sweep has to find them, under transaction ids that it knows as past.
  await standby.query(PUBLISH, [4]);
  await standby.query(PUBLISH, [5]);
  proxy.moveTo(standby.url);

  const reset = await stream.event('reset');
  t.regex(String(reset.data.reason), /replaced or restored/);
  t.deepEqual(numbers(await stream.count(5)), [1, 2, 3, 4, 5], 'what was delivered before is not repeated');
  await standby.query(PUBLISH, [6]);
  t.is(numbers(await stream.count(6)).at(-1), 6);
  t.deepEqual(subscribed, [1, 2, 3, 4, 5, 6]);
  t.is(stream.resets.length, 1);

  const old = await server.stream('', { lastEventId: lost!.id! });
  t.regex(String((await old.event('reset')).data.reason), /replaced or restored/);
  for (const { id } of [reset, ...stream.events.slice(3)]) {
    const again = await server.stream('', { lastEventId: id! });
    await standby.query(PUBLISH, [7]);
    await again.until('the last', () => numbers(again.events).includes(7));
    t.deepEqual(again.resets, []);
  }
});
