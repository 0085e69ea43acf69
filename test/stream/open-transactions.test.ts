import test from 'ava';
import { startCluster } from '../helpers/cluster.js';
import { startApp, until } from '../helpers/server.js';

test('Hundreds of idle writing transactions cost who goes to another instance neither repeats nor a reset', async (t) => {
  const cluster = await startCluster(t, { max_prepared_transactions: '400' });
  // A prepared transaction is in progress to every snapshot, and takes no connection. Others end in between.
  const writer = await cluster.connect();
  const open = async (from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      await writer.query('begin');
      await writer.query('select pg_current_xact_id()');
      await writer.query(`prepare transaction 'open ${i}'`);
      if (i % 3 === 0) await writer.query('select pg_current_xact_id()');
    }
  };
  await open(0, 200);
  const options = { database: cluster.url, sweepInterval: 100 };
  const first = await startApp(t, options);
  const second = await startApp(t, options);
  // This one has no event in memory: what was missed comes from storage.
  const third = await startApp(t, { ...options, historyEvents: 0 });
  const stream = await first.stream();
  const publish = async (from: number, to: number) => {
    for (let n = from; n <= to; n += 1) await first.realtime.publish({ scope: 'public', type: 'note', detail: { n } });
  };
  await publish(1, 200);
  await open(200, 300);
  await publish(201, 250);
  await stream.count(250);
  const metric = async () =>
    /^djr_open_transactions (\d+)$/m.exec(await (await fetch(`${first.origin}/realtime/metrics`)).text())?.[1];
  await until('a sweep that sees them all', async () => Number(await metric()) >= 300);
  await publish(251, 260);
  await stream.count(260);
  stream.close();
  await publish(261, 280);
  for (const app of [second, third]) {
    const again = await app.stream('', { lastEventId: stream.lastEventId });
    await again.count(20);
    await app.realtime.publish({ scope: 'public', type: 'end' });
    await again.event('end');
    const numbers = again.events.map(({ data }) => data.n).filter((n) => n !== undefined);
    t.deepEqual(
      numbers,
      Array.from({ length: 20 }, (_, i) => 261 + i),
    );
    t.deepEqual(again.resets, []);
  }
  t.true(stream.lastEventId.length < 2048, `${stream.lastEventId.length}`);
});
