import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';

test('Where a retention is set the runtime prunes by itself, and young events stay', async (t) => {
  const { url, query, connect } = await createDatabase(t);
  await query(`insert into djr.event (scope, type, created_at)
    select 'public', 'old', now() - interval '2 days' from generate_series(1, 7000)`);
  await query("select djr.publish_global('young', '{}')");
  await query("select djr.configure(retention => '1 day')");

  const pruned = new Promise<object>((resolve) => {
    const logger = {
      debug() {},
      warn() {},
      error() {},
      info(context: object, message: string) {
        if (message.startsWith('pruned')) resolve(context);
      },
    };
    const realtime = createRealtime({ database: url, pruneInterval: 50, logger });
    t.teardown(() => realtime.stop());
    void realtime.start();
  });
  t.deepEqual(await pruned, { events: 7000 });
  t.deepEqual((await (await connect()).query('select type from djr.event')).rows, [{ type: 'young' }]);
});
