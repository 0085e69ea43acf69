import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int))";

test("a database's idle_session_timeout ends no listener, and connections of the pool that it ends are replaced without a word", async (t) => {
  const db = await createDatabase(t);
  await db.query(`alter database ${db.name} set idle_session_timeout = '800ms'`);
  // Longer: between two statements of a transaction a busy machine makes pauses, too.
  await db.query(`alter database ${db.name} set idle_in_transaction_session_timeout = '2s'`);
  const app = await startApp(t, { sweepInterval: 810, probeInterval: 3_600_000 }, db);
  await until('the probe is heard', () => app.realtime.health().checks.listener === 'ok');
  const stream = await app.stream();
  for (let n = 1; n <= 5; n += 1) {
    // The test's own session waits for the stream, however long that takes on a busy machine.
    const publisher = await db.connect({ options: '-c idle_session_timeout=0' });
    await publisher.query(PUBLISH, [n]);
    await stream.count(n);
    // As long as two of them: what is idle has been ended.
    await publisher.query('select pg_sleep(1.6)');
  }
  const loud = app.lines.filter(({ level }) => level === 'warn' || level === 'error');
  t.deepEqual(loud, []);
});

test('statement_timeout and lock_timeout of a database leave delivery alone', async (t) => {
  const db = await createDatabase(t);
  await db.query(`alter database ${db.name} set statement_timeout = '2s'`);
  await db.query(`alter database ${db.name} set lock_timeout = '1s'`);
  const app = await startApp(t, { sweepInterval: 100 }, db);
  const stream = await app.stream();
  await db.query(PUBLISH, [1]);
  await stream.count(1);
  await until('the probe is heard', () => app.realtime.health().checks.listener === 'ok');
  t.deepEqual(
    app.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
});
