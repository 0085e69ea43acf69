import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { hasPgBouncer, startPgBouncer } from '../helpers/pgbouncer.js';
import { recordingLogger, until } from '../helpers/server.js';

const withPgBouncer = hasPgBouncer || process.env.CI ? test : test.skip;

withPgBouncer(
  'A consumer works through PgBouncer in transaction mode, two processes on the same backends',
  async (t) => {
    const db = await createDatabase(t);
    await db.query('create table effect (n int)');
    const pooler = await startPgBouncer(t, db.url, {
      mode: 'transaction',
      settings: { default_pool_size: 3, server_round_robin: 1 },
    });
    const { logger } = recordingLogger();
    for (const share of [false, true]) {
      for (let process = 0; process < 2; process += 1) {
        const realtime = createRealtime({
          database: { listen: db.url, pool: pooler.url },
          logger,
          shutdownGrace: 2000,
        });
        t.teardown(() => realtime.stop());
        realtime.consume(
          share ? 'shared' : 'billing',
          async (events, { client }) => {
            for (const { detail } of events) await client.query('insert into effect values ($1)', [detail.n]);
          },
          { create: { from: 'start' }, batch: 5, share, pollInterval: 50 },
        );
      }
    }
    await db.query(`insert into djr.event (scope, type, detail)
    select 'public', 'note', jsonb_build_object('n', n) from generate_series(1, 50) n`);
    await until('all effects', async () => (await db.query('select from effect')).length >= 100);
    const rows = await db.query('select n, count(*)::int as times from effect group by n order by n');
    t.deepEqual(
      rows,
      Array.from({ length: 50 }, (_, i) => ({ n: i + 1, times: 2 })),
    );
  },
);
