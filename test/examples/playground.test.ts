import { request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { startPlayground } from '../../examples/playground/server.js';
import { statements } from '../../examples/playground/statements.js';
import { createDatabase } from '../helpers/database.js';
import { openStream } from '../helpers/stream.js';

// The role is one of the whole server: two playgrounds at once would give it two passwords.
const serial = test.serial;

async function open(t: ExecutionContext) {
  const database = await createDatabase(t);
  const playground = await startPlayground({ databaseUrl: database.url, port: 0 });
  t.teardown(() => playground.close());
  const run = async (sql: string) => {
    const response = await fetch(new URL('/run', playground.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql }),
    });
    return (await response.json()) as {
      result?: { columns: string[]; rows: unknown[][]; more: boolean };
      error?: { message: string; code: string };
    };
  };
  return { database, run, url: playground.url };
}

serial('each statement that the playground offers runs, and only the one that is too large is refused', async (t) => {
  const { run } = await open(t);
  for (const { title, sql } of statements) {
    const { error } = await run(sql);
    t.is(error?.code, title === 'Too large' ? 'DJR05' : undefined, `${title}: ${error?.message}`);
  }
});

serial('what is typed is heard by whom it is for', async (t) => {
  const { run, url } = await open(t);
  const ann = await openStream(t, new URL('/realtime/sse/?as=ann', url).href);
  const bob = await openStream(t, new URL('/realtime/sse/?as=bob', url).href);
  await run(`select djr.publish('ann', 'order_paid')`);
  await run(`select djr.publish_public('end')`);
  await ann.event('end');
  await bob.event('end');
  t.deepEqual(ann.types, ['order_paid', 'end']);
  t.deepEqual(bob.types, ['end']);
});

serial('the role can publish and change its own table, and nothing else', async (t) => {
  const { run } = await open(t);
  const refused = [
    'select * from djr.event',
    'select djr.configure(storage => false)',
    'delete from djr.activity',
    'create table public.mine (id int)',
    'create role more',
    'reset role; select 1',
    "select pg_read_file('/etc/passwd')",
    "copy (select 1) to program 'id'",
  ];
  for (const sql of refused) t.truthy((await run(sql)).error, sql);
  t.is((await run('select pg_sleep(30)')).error?.code, '57014');
  const { result } = await run('select generate_series(1, 100000000)');
  t.is(result?.rows.length, 50);
  t.true(result?.more);
  t.deepEqual((await run('select 1 as one')).result?.rows, [[1]]);
});

serial('a statement leaves nothing to the next one, and COPY ends nothing', async (t) => {
  const { run, url } = await open(t);
  const ann = await openStream(t, new URL('/realtime/sse/?as=ann', url).href);
  for (const sql of ['begin', 'set statement_timeout = 0', 'copy playground.orders to stdout']) await run(sql);
  t.regex((await run('copy playground.orders from stdin')).error!.message, /The playground has no data/);
  await run(`select djr.publish('ann', 'heard')`);
  await ann.event('heard');
  t.deepEqual((await run('show statement_timeout')).result?.rows, [['3s']]);
});

serial('another site can neither reach the playground under a name of its own nor make it run anything', async (t) => {
  const { url } = await open(t);
  const status = (path: string, options: { method?: string; headers: Record<string, string> }) =>
    new Promise<number>((resolve, reject) => {
      request(new URL(path, url), options, (response) => resolve(response.resume().statusCode!))
        .on('error', reject)
        .end(options.method === 'POST' ? '{"sql":"select 1"}' : undefined);
    });
  t.is(await status('/', { headers: { host: 'evil.example' } }), 403);
  t.is(await status('/run', { method: 'POST', headers: { 'content-type': 'text/plain' } }), 415);
  t.is(await status('/run', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } }), 404);
});
