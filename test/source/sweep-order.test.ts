import test from 'ava';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { createDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

test('Rows that came in another order than was asked for are noticed, and read again: none is lost or out of order', async (t) => {
  const db = await createDatabase(t);
  let swaps = true;
  let swapped = 0;
  const swap = <Row>(rows: Row[]): Row[] => {
    if (swaps && rows.length > 2) {
      rows.push(...rows.splice(-2, 1));
      swapped += 1;
    }
    return rows;
  };
  // Whichever connection reads them, at once or by a cursor: a file of tests is a process of its own.
  const { query } = pg.Client.prototype;
  t.teardown(() => Object.assign(pg.Client.prototype, { query }));
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, config: { text?: string }, ...rest: unknown[]) {
      const asked = (query as (...args: unknown[]) => unknown).call(this, config, ...rest);
      if (!config.text?.includes('from djr.event')) return asked;
      if (config instanceof Cursor) {
        const read = config.read.bind(config);
        config.read = (async (rows: number) => swap(await read(rows))) as typeof config.read;
        return asked;
      }
      return (asked as Promise<pg.QueryResult>).then((result) => ({ ...result, rows: swap(result.rows) }));
    },
  });
  const app = await startApp(t, { sweepInterval: 20 }, db);
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
