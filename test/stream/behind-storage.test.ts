import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { startApp } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int))";

test('What a client that comes back got from storage does not come again when its instance gets there', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  // The instance hears of nothing, and finds it in its next sweep; storage has it at once.
  proxy.mode = 'swallow';
  const app = await startApp(t, { database: proxy.url, historyEvents: 0, sweepInterval: 3000 }, db);
  const first = await app.stream();
  const { lastEventId } = first;
  await db.query(PUBLISH, [1]);
  await first.count(1);
  for (const n of [2, 3, 4, 5]) await db.query(PUBLISH, [n]);
  const back = await app.stream('', { lastEventId });
  await back.count(5);
  await db.query(PUBLISH, [6]);
  await back.until('the last', () => back.events.some(({ data }) => data.n === 6));
  t.deepEqual(
    back.events.map(({ data }) => data.n),
    [1, 2, 3, 4, 5, 6],
  );
});
