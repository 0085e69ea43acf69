import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

/** The waits that the sweeper asked for, in milliseconds: what came of them on this machine is nobody's promise. */
const waits: number[] = [];
const { setTimeout } = globalThis;
globalThis.setTimeout = Object.assign(
  (...args: Parameters<typeof setTimeout>) => {
    if (args[1] !== undefined && new Error().stack?.includes('#schedule')) waits.push(args[1]);
    return setTimeout(...args);
  },
  { __promisify__: setTimeout.__promisify__ },
) as typeof setTimeout;

test('While delivery sweeps a sweep comes every 5 ms, and every 10 when the last 20 found nothing', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.configure(delivery => 'sweep')");
  const app = await startApp(t, {}, db);
  const stream = await app.stream();
  for (const n of [1, 2]) {
    await until('it is idle', () => waits.length > 5 && waits.slice(-5).every((wait) => wait === 10));
    waits.length = 0;
    await db.query('select djr.publish_global($1)', [`event_${n}`]);
    await stream.event(`event_${n}`);
    await until('it is idle again', () => waits.at(-1) === 10 && waits.includes(5));
    const busy = waits.slice(waits.indexOf(5));
    t.is(busy.indexOf(10), 20);
  }
});
