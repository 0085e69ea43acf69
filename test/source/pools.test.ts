import { createRequire } from 'node:module';
import test from 'ava';
import pg from 'pg';
import { createRealtime, DjrError } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

/** `pg` once more, as an app has it that installed its own: none of its classes is ours. */
function anotherPg(): typeof pg {
  const require = createRequire(import.meta.url);
  const before = Object.entries(require.cache).filter(([name]) => /node_modules\/(pg|pg-pool)\//.test(name));
  for (const [name] of before) delete require.cache[name];
  try {
    return require('pg');
  } finally {
    for (const [name, module] of before) require.cache[name] = module;
  }
}

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int))";

test("a pool of another copy of pg is taken, and left open; the listener connects by the pool's options", async (t) => {
  const { Pool } = anotherPg();
  t.not(Pool, pg.Pool);
  const db = await createDatabase(t);
  const pool = new Pool({ connectionString: db.url, max: 4, application_name: 'the app' });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  for (const database of [pool, { listen: db.url, pool }]) {
    const app = await startApp(t, { database: database as never, sweepInterval: 3_600_000 }, db);
    await until('the probe is heard', () => app.realtime.health().checks.listener === 'ok');
    const stream = await app.stream();
    await app.realtime.publish({ type: 'note', detail: { n: 1 }, scope: 'public' });
    await stream.count(1);
    await app.realtime.stop();
    t.is((await pool.query('select 1 as n')).rows[0].n, 1);
  }
});

test('a pool that was given separate parts has its password for the listener', async (t) => {
  const db = await createDatabase(t);
  const { hostname, port, username, password } = new URL(db.url);
  const pool = new pg.Pool({ host: hostname, port: Number(port), user: username, password, database: db.name });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const app = await startApp(t, { database: pool }, db);
  await until('the probe is heard', () => app.realtime.health().checks.listener === 'ok');
  t.true(app.realtime.health().ok);
});

test('what behaves like a pool is taken, where `listen` says how to reach the database', async (t) => {
  const db = await createDatabase(t);
  const inner = new pg.Pool({ connectionString: db.url });
  inner.on('error', () => {});
  t.teardown(() => inner.end());
  const pool = {
    connect: async () => inner.connect(),
    query: (text: string, values: unknown[]) => inner.query(text, values),
  } as unknown as pg.Pool;
  const app = await startApp(t, { database: { listen: db.url, pool } }, db);
  const stream = await app.stream();
  await db.query(PUBLISH, [1]);
  await stream.count(1);
  const text = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  t.regex(text, /^djr_healthy 1$/m);
});

test('a pool that does not say how to reach the database, and what is no pool, are refused in one sentence', (t) => {
  const nowhere = { connect: async () => {}, query: async () => {} } as unknown as pg.Pool;
  const without = t.throws(() => createRealtime({ database: nowhere }), { instanceOf: DjrError, code: 'DJR_CONFIG' });
  t.is(without.message, 'Option database: this pool has no `options` that say where to listen.');
  const wrong = t.throws(() => createRealtime({ database: { listen: 'postgres://db/app', pool: 7 as never } }), {
    code: 'DJR_CONFIG',
  });
  t.regex(wrong.message, /^Option database\.pool: must be a pool/);
  t.throws(() => createRealtime({ database: new pg.Client('postgres://db/app') as never }), { code: 'DJR_CONFIG' });
});
