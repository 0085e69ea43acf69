import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { createRealtime } from '../../src/index.js';
import { createDatabase, type TestDatabaseOptions } from '../../src/testing/index.js';
import { serverUrl } from '../helpers/database.js';

async function create(t: ExecutionContext, options: TestDatabaseOptions = {}) {
  const database = await createDatabase({ server: serverUrl(), ...options });
  t.teardown(() => database.drop());
  return database;
}

async function query(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

test('many at once are made of one template, each with the schema of djr and that of the app', async (t) => {
  const key = `${Math.random()}`;
  let setups = 0;
  const setup = async (url: string) => {
    setups += 1;
    await query(url, 'create table note (id int)');
  };
  const all = await Promise.all(Array.from({ length: 8 }, () => create(t, { key, setup })));
  t.is(setups, 1);
  t.is(new Set(all.map(({ name }) => name)).size, 8);
  await query(all[0]!.url, 'insert into note values (1)');
  t.deepEqual(await query(all[1]!.url, 'select * from note'), []);
  const realtime = createRealtime({ database: all[2]!.url });
  t.is(await realtime.publish({ userId: 1, type: 'x' }), 1);
  await realtime.stop();
});

test('a setup that leaves a connection open does not keep the template from being cloned', async (t) => {
  const pools: pg.Pool[] = [];
  t.teardown(() => Promise.all(pools.map((pool) => pool.end())));
  const setup = async (url: string) => {
    const pool = new pg.Pool({ connectionString: url });
    pool.on('error', () => {});
    pools.push(pool);
    await pool.query('create table note (id int)');
  };
  const database = await create(t, { key: `${Math.random()}`, setup });
  t.deepEqual(await query(database.url, 'select * from note'), []);
});

test('a setup that fails is told, and the next call begins anew', async (t) => {
  const key = `${Math.random()}`;
  await t.throwsAsync(
    create(t, {
      key,
      async setup(url) {
        await query(url, 'create table note (id int)');
        throw new Error('a migration failed');
      },
    }),
    { message: 'a migration failed' },
  );
  const database = await create(t, { key, setup: (url) => query(url, 'create table note (id int)') });
  t.deepEqual(await query(database.url, 'select * from note'), []);
});

test('drop() drops it, with whoever is connected', async (t) => {
  const database = await create(t);
  const client = new pg.Client(database.url);
  client.on('error', () => {});
  await client.connect();
  await database.drop();
  await client.end().catch(() => {});
  t.deepEqual(await query(serverUrl(), 'select from pg_database where datname = $1', [database.name]), []);
  await database.drop();
});
