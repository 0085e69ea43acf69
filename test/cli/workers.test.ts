import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { djr, readEvents, start } from './helpers.js';

/** Writes these options into a configuration file, which is gone with the test. */
async function writeConfig(t: ExecutionContext, options: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'djr-config-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'djr.config.mjs');
  await writeFile(file, `export default { ${options} };`);
  return file;
}

test('serve --workers: one line, all workers deliver, one that dies is replaced, metrics are of all, SIGTERM ends all', async (t) => {
  const database = await createDatabase(t);
  const serve = start(t, ['serve', '-d', database.url, '--port', '0', '--workers', '2']);
  const [, address] = await serve.printed(/^listening on (http:\/\/127\.0\.0\.1:\d+\/realtime\/)\n$/);
  const workers = () =>
    execFileSync('pgrep', ['-P', String(serve.child.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n');
  t.is(workers().length, 2);

  const streams = await Promise.all(Array.from({ length: 4 }, () => readEvents(`${address}sse/`, 1)));
  await database.query(`select djr.publish_global('ours', '{"n": 1}')`);
  for (const { events } of streams) t.deepEqual(await events, [{ n: 1, type: 'ours' }]);
  const metrics = await (await fetch(`${address}metrics`)).text();
  t.deepEqual([...metrics.matchAll(/^djr_listening\{worker="(\d+)"\} 1$/gm)].map(([, id]) => id).sort(), ['1', '2']);
  t.is(metrics.match(/^# TYPE djr_connections /gm)?.length, 1);

  process.kill(Number(workers()[0]), 'SIGKILL');
  await serve.complained(/a worker ended; another is started/);
  await until('the third listens', async () =>
    /^djr_listening\{worker="3"\} 1$/m.test(await (await fetch(`${address}metrics`)).text()),
  );
  t.is((await fetch(`${address}healthz`)).status, 200);

  const last = workers();
  serve.child.kill('SIGTERM');
  t.is((await serve.ended).code, 0);
  for (const pid of last) t.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
});

test('serve --workers: what is wrong for one ends all, and is said once; no number is wrong usage', async (t) => {
  const none = new URL((await createDatabase(t)).url);
  none.pathname = '/none';
  const { code, err } = await djr(t, ['serve', '-d', none.href, '--workers', '2']);
  t.is(code, 1);
  t.is(err.match(/^error: /gm)?.length, 1);
  t.is((await djr(t, ['serve', '-d', 'postgres://localhost/x', '--workers', '0'])).code, 2);
});

test('serve --workers: the metrics of all are for those whom metrics.authorize lets in', async (t) => {
  const database = await createDatabase(t);
  const config = await writeConfig(t, "metrics: { authorize: (request) => request.headers.get('x-staff') === 'yes' }");
  const serve = start(t, [...['serve', '-d', database.url, '--port', '0', '--workers', '2', '--config', config]]);
  const [, address] = await serve.printed(/^listening on (http:\/\/127\.0\.0\.1:\d+\/realtime\/)\n$/);
  const ask = (headers: Record<string, string>) => fetch(`${address}metrics/`, { headers });
  t.is((await ask({})).status, 403);
  const seen = await ask({ 'x-staff': 'yes' });
  t.is(seen.status, 200);
  t.regex(await seen.text(), /djr_listening\{worker="2"\} 1/);
});

test('serve --workers --trust-proxy: through each worker limits count the client behind the proxy, redirects are https, and cookies Secure', async (t) => {
  const database = await createDatabase(t);
  const config = await writeConfig(
    t,
    `maxConnectionsPerAddress: 1,
    admin: {
      authorize: (request) => request.headers.has('x-admin') || Response.redirect(new URL('/login', request.url)),
    }`,
  );
  const flags = ['--workers', '2', '--trust-proxy', '127.0.0.1', '--config', config];
  const serve = start(t, ['serve', '-d', database.url, '--port', '0', ...flags]);
  const [, address] = await serve.printed(/^listening on (http:\/\/127\.0\.0\.1:\d+\/realtime\/)\n$/);
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const open = async (client: string) => {
    const headers = { 'x-forwarded-for': `6.6.6.6, ${client}` };
    return (await fetch(`${address}sse/`, { headers, signal: abort.signal })).status;
  };
  // More clients than workers: as one address they would be refused.
  t.deepEqual(await Promise.all([1, 2, 3, 4, 5, 6].map((n) => open(`203.0.113.${n}`))), [200, 200, 200, 200, 200, 200]);
  // Whatever a client writes before what the proxy adds, it is one client, and has a place at each worker.
  const own = await Promise.all([1, 2, 3, 4, 5].map(() => open('198.51.100.1')));
  t.true(own.filter((status) => status === 200).length <= 2);
  t.true(own.includes(429));
  const [event] = await database.query<{ id: string }>(`select djr.publish_public('note') as id`);
  for (const scheme of ['https', 'http']) {
    for (let request = 0; request < 4; request += 1) {
      const headers = { 'x-forwarded-proto': scheme, connection: 'close' };
      const answer = await fetch(`${address}admin/`, { redirect: 'manual', headers });
      t.regex(answer.headers.get('location')!, new RegExp(`^${scheme}://127\\.0\\.0\\.1:\\d+/login$`));
      const asked = await fetch(`${address}admin/replay/?id=${event!.id}`, {
        headers: { ...headers, 'x-admin': 'yes' },
      });
      t.is(asked.status, 200);
      const [cookie] = asked.headers.getSetCookie();
      t.is(/; Secure/.test(cookie!), scheme === 'https', cookie);
    }
  }
});
