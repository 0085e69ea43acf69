import test from 'ava';
import pg from 'pg';
import { ask, NoAnswerError } from '../../src/postgres/ask.js';
import { readRows } from '../../src/postgres/rows.js';
import { Session } from '../../src/source/postgres/session.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

/** Backends of this database that run or hold something for an application. */
const backends = async (db: TestDatabase, application: string): Promise<number> => {
  const [row] = await db.query<{ n: number }>(
    'select count(*)::int as n from pg_stat_activity where datname = $1 and application_name = $2',
    [db.name, application],
  );
  return row!.n;
};

test('a statement that is given up is cancelled on the server before its place in the pool is free', async (t) => {
  const db = await createDatabase(t);
  const pool = new pg.Pool({ connectionString: db.url, max: 1, application_name: 'asker' });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const query = { text: 'select pg_sleep(60)' };
  await t.throwsAsync(ask(pool, query, 50), { instanceOf: NoAnswerError });
  // The only place: what gets it finds the server idle.
  await ask(pool, { text: 'select 1' }, 30_000);
  const [row] = await db.query(
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)' and pid <> pg_backend_pid() and state = 'active'",
  );
  t.is(row!.n, 0);
  t.is(await backends(db, 'asker'), 1);
});

test("an app's own, shorter query_timeout frees no place of a server that works on", async (t) => {
  const db = await createDatabase(t);
  const pool = new pg.Pool({ connectionString: db.url, max: 1, application_name: 'asker', query_timeout: 20 });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  await t.throwsAsync(ask(pool, { text: 'select pg_sleep(60)' }, 100), { instanceOf: NoAnswerError });
  await ask(pool, { text: 'select 1' }, 30_000);
  t.is(await backends(db, 'asker'), 1);
});

test('a reading by a cursor that waits for a lock is cancelled when it is given up', async (t) => {
  const db = await createDatabase(t);
  const pool = new pg.Pool({ connectionString: db.url, max: 1, application_name: 'reader' });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const locker = await db.connect();
  await locker.query('begin; lock table djr.event');
  const reading = readRows(pool, { text: 'select id from djr.event', values: [] }, async () => true);
  await t.throwsAsync(reading, { instanceOf: NoAnswerError });
  await ask(pool, { text: 'select 1' }, 30_000);
  t.is(await backends(db, 'reader'), 1);
});

test('a statement of a session that is given up is cancelled, and the next one answers', async (t) => {
  const db = await createDatabase(t);
  const session = new Session(await db.connect());
  await t.throwsAsync(session.query('select pg_sleep(60)', 50), { instanceOf: NoAnswerError });
  t.is((await session.query<{ n: number }>('select 1 as n', 30_000)).rows[0]!.n, 1);
});

test('a prepared statement that fails or is given up leaves a session without a transaction and without a setting', async (t) => {
  const db = await createDatabase(t);
  const session = new Session(await db.connect());
  const look = { text: 'select 1 where $1::int > 0', values: [1] };
  t.deepEqual(await session.prepared('looked', look), [['1']]);
  t.is(await session.prepared('failed', { text: 'select 1 / $1::int', values: [0] }), undefined);
  const { rows } = await session.query<{ n: number; open: boolean }>(
    `select (select count(*)::int from pg_settings where source = 'session' and name ~ '^(enable_|plan_)') as n,
            now() <> statement_timestamp() as open`,
  );
  t.deepEqual(rows, [{ n: 0, open: false }]);
});

test('while a lock keeps resumes from storage waiting, an instance has no more backends than its pool may have', async (t) => {
  const db = await createDatabase(t);
  const max = 3;
  const database = { connectionString: db.url, application_name: 'locked', max, connectionTimeoutMillis: 1000 };
  const app = await startApp(t, { database: { listen: db.url, pool: database }, sweepInterval: 100 }, db);
  const locker = await db.connect();
  await locker.query('begin; lock table djr.event');
  let most = 0;
  let requests = 0;
  let open = 0;
  const end = performance.now() + 25_000;
  while (performance.now() < end) {
    if (open < 20) {
      open += 1;
      requests += 1;
      const abort = AbortSignal.timeout(3000);
      void fetch(`${app.origin}/realtime/sse/?since=1:1:`, { signal: abort })
        .then((response) => response.text())
        .catch(() => {})
        .finally(() => {
          open -= 1;
        });
    }
    most = Math.max(most, await backends(db, 'locked'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.true(requests > 20);
  t.true(most <= max, `${most} backends`);
  await locker.query('rollback');
  await until('it is well again', () => app.realtime.health().ok);
});
