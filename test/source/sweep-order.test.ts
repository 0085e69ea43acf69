import test from 'ava';
import pg from 'pg';
import { createDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

test('Rows that came in another order than was asked for are noticed, and read again: none is lost or out of order', async (t) => {
  const db = await createDatabase(t);
  const pool = new pg.Pool({ connectionString: db.url });
  // The drop of the database may end connections that are being closed.
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  let swaps = true;
  let swapped = 0;
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (config: pg.QueryConfig) => Promise<pg.QueryResult>;
    Object.assign(client, {
      query: async (config: pg.QueryConfig) => {
        const result = await query(config);
        if (swaps && config.text?.includes('from djr.event') && result.rows.length > 2) {
          result.rows.push(...result.rows.splice(-2, 1));
          swapped += 1;
        }
        return result;
      },
    });
  });
  const app = await startApp(t, { database: { listen: db.url, pool }, sweepInterval: 20 }, db);
  const stream = await app.stream();
  // Unheard, so that sweeps alone bring them.
  await db.query('alter table djr.event disable trigger event_announce');
  await db.query(
    `insert into djr.event (scope, type, detail) select 'public', 'n', jsonb_build_object('n', n) from generate_series(1, 3) n`,
  );
  await until('the sweep is tried again', () => swapped > 1);
  const events = () => stream.events.filter(({ data }) => data.n !== undefined).map(({ data }) => data.n);
  t.deepEqual(events(), []);
  swaps = false;
  await until('all have come', () => events().length === 3);
  t.deepEqual(events(), [1, 2, 3]);
});
