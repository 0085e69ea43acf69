import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { publishBulk, rawClient } from '../helpers/raw-client.js';
import { startApp, until } from '../helpers/server.js';

test('A client that stops reading is closed at its bound, logged, and loses nothing when it comes back', async (t) => {
  const app = await startApp(t, { maxClientBytes: 256 * 1024 });
  const slow = await rawClient(t, app);
  const other = await app.stream();
  slow.socket.pause();
  let sent = 0;
  // The kernel's buffers take some megabytes first.
  while (!app.lines.some(({ context }) => context.reason === 'slow')) {
    t.true(sent < 4000, 'it is closed in the end');
    await publishBulk(app, sent + 1, sent + 100);
    sent += 100;
    await other.count(sent);
  }
  const line = app.lines.find(({ context }) => context.reason === 'slow')!;
  t.is(line.level, 'warn');
  t.deepEqual(
    other.events.map(({ data }) => data.n),
    Array.from({ length: sent }, (_, i) => i + 1),
  );

  const closed = once(slow.socket, 'close');
  slow.socket.resume();
  await closed;
  const whole = slow.text().slice(0, slow.text().lastIndexOf('\n\n') + 2);
  const got = [...whole.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!).n).filter(Boolean);
  t.true(got.length < sent);
  const lastEventId = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
  const again = await app.stream('', { lastEventId });
  await again.count(sent - got.length);
  t.deepEqual(
    [...got, ...again.events.map(({ data }) => data.n)],
    Array.from({ length: sent }, (_, i) => i + 1),
  );
});

test('A client that reads nothing for the write time-out is closed, though little waits for it', async (t) => {
  const app = await startApp(t, { writeTimeout: 300, maxClientBytes: 1024 ** 3 });
  const slow = await rawClient(t, app);
  const other = await app.stream();
  slow.socket.pause();
  let sent = 0;
  while (!app.lines.some(({ context }) => context.reason === 'stalled')) {
    t.true(sent < 8000, 'it is closed in the end');
    await publishBulk(app, sent + 1, sent + 50);
    sent += 50;
    await other.count(sent);
  }
  t.is(other.ended, false);
});

test('A client that is gone is forgotten', async (t) => {
  const app = await startApp(t, { maxConnections: 2 });
  const dead = await rawClient(t, app);
  dead.socket.resetAndDestroy();
  const polite = await rawClient(t, app).catch(() => undefined);
  polite?.socket.end();
  await until('room for two', async () => {
    const streams = await Promise.all([app.stream(), app.stream()]);
    if (streams.every(({ status }) => status === 200)) return true;
    for (const stream of streams) stream.close();
    return false;
  });
  t.pass();
});

test('A stream ends after 80 to 100 % of its lifetime, and the client goes on from there', async (t) => {
  const app = await startApp(t, { lifetime: 1000, heartbeat: 100 });
  const began = performance.now();
  const stream = await app.stream();
  await stream.end();
  t.true(performance.now() - began >= 800);
  await app.realtime.publish({ scope: 'public', type: 'between' });
  const again = await app.stream('', { lastEventId: stream.lastEventId });
  await again.event('between');
  t.deepEqual(again.resets, []);
});

test('stop() tells each client when to come back, ends its stream, and can be called twice', async (t) => {
  const app = await startApp(t);
  const streams = await Promise.all([app.stream(), app.stream(), app.stream()]);
  await app.realtime.publish({ scope: 'public', type: 'last' });
  await Promise.all(streams.map((stream) => stream.event('last')));
  await Promise.all([app.realtime.stop(), app.realtime.stop()]);
  await app.realtime.stop();
  for (const stream of streams) {
    await stream.end();
    t.true(stream.retry! >= 500 && stream.retry! <= 5000);
  }
  t.true(new Set(streams.map(({ retry }) => retry)).size > 1, 'not all at the same time');
});

test('After stop() nothing is left: no connection to the database, and the process ends by itself', async (t) => {
  const db = await createDatabase(t);
  const script = `
    import { createServer } from 'node:http';
    import { createRealtime } from './src/index.ts';
    const realtime = createRealtime({ database: process.argv[1] });
    realtime.subscribe(() => {});
    await Promise.all([realtime.start(), realtime.start()]);
    const server = createServer(realtime.handler);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const response = await fetch('http://127.0.0.1:' + server.address().port + '/realtime/sse/');
    const body = response.text();
    await realtime.publish({ scope: 'public', type: 'x' });
    await realtime.stop();
    await body;
    server.close();
    server.closeAllConnections();
    process.stdout.write('stopped');
  `;
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', script, db.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const [code] = await once(child, 'exit');
  t.is(code, 0);
  t.is(output, 'stopped');
});
