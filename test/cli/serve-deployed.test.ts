import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { SignJWT } from 'jose';
import { startCluster } from '../helpers/cluster.js';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';
import { djr, start } from './helpers.js';

const status = async (url: string) => (await fetch(url)).status;

test('serve --drain: healthz answers 503 while new streams are served; then it ends with 0', async (t) => {
  const { url, query } = await createDatabase(t);
  const serve = start(t, ['serve', '-d', url, '--port', '0', '--drain', '10']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  t.is(await status(`${address}healthz`), 200);
  const old = await openStream(t, `${address}sse/`);
  serve.child.kill('SIGTERM');
  await until('it drains', async () => (await status(`${address}healthz`)) === 503);
  const late = await openStream(t, `${address}sse/`);
  t.is(late.status, 200);
  await query("select djr.publish_global('note')");
  await Promise.all([old.count(1), late.count(1)]);
  t.is((await serve.ended).code, 0);
  await Promise.all([old.end(), late.end()]);
});

test('serve --drain with --workers: on SIGHUP, too, each worker drains, and all end with 0', async (t) => {
  const { url } = await createDatabase(t);
  const serve = start(t, ['serve', '-d', url, '--port', '0', '--workers', '2', '--drain', '10']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  serve.child.kill('SIGHUP');
  await until('it drains', async () => (await status(`${address}healthz`)) === 503);
  t.is((await openStream(t, `${address}sse/`)).status, 200);
  t.is((await serve.ended).code, 0);
});

test('serve: SIGHUP ends the streams as SIGTERM does', async (t) => {
  const { url } = await createDatabase(t);
  const serve = start(t, ['serve', '-d', url, '--port', '0']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const stream = await openStream(t, `${address}sse/`);
  serve.child.kill('SIGHUP');
  t.is((await serve.ended).code, 0);
  await stream.end();
  t.true(stream.retry! >= 500);
});

test('serve --lifetime ends each stream after so long', async (t) => {
  const { url } = await createDatabase(t);
  const serve = start(t, ['serve', '-d', url, '--port', '0', '--lifetime', '1']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  await (await openStream(t, `${address}sse/`)).end();
  const metrics = await (await fetch(`${address}metrics`)).text();
  t.regex(metrics, /^djr_connections_closed_total\{reason="lifetime"\} 1$/m);
});

const overSocket = (socketPath: string, target: string) =>
  new Promise<number>((resolve, reject) => {
    request({ socketPath, path: target }, (response) => resolve(response.resume().statusCode!))
      .once('error', reject)
      .end();
  });

test('serve --listen: a Unix socket that anybody may use; one of a killed process is replaced, one in use is not', async (t) => {
  const { url } = await createDatabase(t);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-socket-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const socket = path.join(folder, 'djr.sock');
  const args = ['serve', '-d', url, '--listen', `unix:${socket}`];
  const killed = start(t, args);
  t.is((await killed.printed(/^listening on (\S+)\n/))[1], `http://unix:${socket}:/realtime/`);
  t.is(await overSocket(socket, '/realtime/healthz'), 200);
  const second = await djr(t, args);
  t.is(second.code, 1);
  t.is(
    second.err.split('\n').filter((line) => line.startsWith('error'))[0],
    `error: Another process listens on ${socket}.`,
  );
  killed.child.kill('SIGKILL');
  await killed.ended;
  const serve = start(t, [...args, '--workers', '2']);
  await serve.printed(/^listening on /);
  t.is(await overSocket(socket, '/realtime/healthz'), 200);
  serve.child.kill('SIGTERM');
  t.is((await serve.ended).code, 0);
});

test('serve: a wrong --host or --listen is blamed on itself, and not on the database', async (t) => {
  const { url } = await createDatabase(t);
  const errorOf = async (...args: string[]) => {
    const { code, err } = await djr(t, ['serve', '-d', url, '--log-level', 'silent', ...args]);
    t.is(code, 1);
    return err;
  };
  t.regex(await errorOf('--port', '0', '--host', 'nowhere.invalid'), /^error: --host nowhere\.invalid is no address/);
  t.regex(
    await errorOf('--port', '0', '--host', '192.0.2.1'),
    /^error: 192\.0\.2\.1 is no address of this machine\.\n.*--host/,
  );
  t.regex(
    await errorOf('--listen', 'unix:/no/such/folder/s'),
    /^error: The socket .* cannot be made: its folder .*\n.*--listen/,
  );
  t.is((await djr(t, ['serve', '-d', url, '--listen', '8000'])).code, 2);
  t.is((await djr(t, ['serve', '-d', url, '--listen', 'unix:/tmp/s', '--port', '1'])).code, 2);
  t.is((await djr(t, ['serve', '-d', url, '--drain', 'long'])).code, 2);
});

test('serve waits for a PostgreSQL that is down at its start, and says so once; SIGTERM ends it meanwhile', async (t) => {
  const { server, url } = await startCluster(t);
  await server.stop('fast');
  const serve = start(t, ['serve', '-d', url, '--port', '0']);
  await serve.complained(/No PostgreSQL answers at .*Trying again/);
  const impatient = start(t, ['serve', '-d', url, '--port', '0', '--workers', '2']);
  await impatient.complained(/Trying again/);
  impatient.child.kill('SIGTERM');
  t.is((await impatient.ended).code, 0);
  await server.start();
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  t.is(await status(`${address}healthz`), 200);
  serve.child.kill('SIGTERM');
  const { code, err } = await serve.ended;
  t.is(code, 0);
  t.is(err.match(/Trying again/g)?.length, 1);
});

test('serve --workers: one that hangs is shown, ended and replaced, and metrics answers meanwhile', async (t) => {
  const { url } = await createDatabase(t);
  const serve = start(t, ['serve', '-d', url, '--port', '0', '--workers', '3']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const metrics = async () => {
    try {
      return await (await fetch(`${address}metrics`, { signal: AbortSignal.timeout(3000) })).text();
    } catch {
      return ''; // the connection was dealt to the one that hangs
    }
  };
  await until('all serve', async () =>
    /^djr_workers\{state="serving"\} 3\ndjr_workers\{state="hung"\} 0$/m.test(await metrics()),
  );
  const [pid] = execFileSync('pgrep', ['-P', String(serve.child.pid)], { encoding: 'utf8' }).split('\n');
  process.kill(Number(pid), 'SIGSTOP');
  await serve.complained(/a worker does not answer/);
  await until('it is shown', async () => /^djr_workers\{state="hung"\} 1$/m.test(await metrics()));
  await serve.complained(/a worker hangs; it is ended/);
  await until('it is replaced', async () => {
    const text = await metrics();
    return /^djr_workers\{state="serving"\} 3$/m.test(text) && /^djr_workers_replaced_total 1$/m.test(text);
  });
  t.pass();
});

test('serve out of open files says so and counts it', async (t) => {
  const { url } = await createDatabase(t);
  const serve = start(t, ['serve', '-d', url, '--port', '0']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const streams = [await openStream(t, `${address}sse/`)];
  const open = async () => (await readdir(`/proc/${serve.child.pid}/fd`)).length;
  execFileSync('prlimit', ['--pid', String(serve.child.pid), `--nofile=${(await open()) + 4}`]);
  for (let i = 0; i < 12; i += 1) streams.push(await openStream(t, `${address}sse/`, { early: true }));
  await serve.complained(/as many open files as it may/);
  for (const stream of streams) stream.close();
  await serve.complained(/there are open files left again/);
  const text = await (await fetch(`${address}metrics`)).text();
  t.regex(text, /^djr_open_files_exhausted_total [1-9]\d*$/m);
});

test('serve --jwks-url: keys that cannot be fetched are an error in the log, once, and 503 to clients', async (t) => {
  const { url } = await createDatabase(t);
  const keys = createServer((_, response) => response.writeHead(500).end());
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  t.teardown(() => keys.close());
  const { port } = keys.address() as { port: number };
  const serve = start(t, ['serve', '-d', url, '--port', '0', '--jwks-url', `http://127.0.0.1:${port}/jwks.json`]);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const { privateKey } = await crypto.subtle
    .generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
    .then((pair) => pair as CryptoKeyPair);
  const token = await new SignJWT({ sub: '42' }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
  t.is(await status(`${address}sse/?token=${token}`), 503);
  t.is(await status(`${address}sse/?token=${token}`), 503);
  t.is(await status(`${address}sse/?token=nonsense`), 401);
  serve.child.kill('SIGTERM');
  const lines = (await serve.ended).err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const said = lines.filter(({ msg }) => /jwks\.json cannot be fetched/.test(msg));
  t.deepEqual(
    said.map(({ level }) => level),
    [50],
  );
  t.is(lines.filter(({ msg }) => msg === 'a client was refused').length, 1);
});
