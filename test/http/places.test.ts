import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { listen, startApp, type TestApp, until } from '../helpers/server.js';

const number = async (app: TestApp, name: string) => {
  const metrics = await app.realtime.metrics();
  return Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\d+)$`, 'm').exec(metrics)?.[1]);
};

/** A bare connection to the app. */
function open(t: ExecutionContext, app: Pick<TestApp, 'origin'>): { socket: Socket; text(): string } {
  const socket = connect(Number(new URL(app.origin).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return { socket, text: () => text };
}

const get = (path: string, user = 'ada') => `GET ${path} HTTP/1.1\r\nHost: x\r\nx-user: ${user}\r\n\r\n`;

test('a thousand pipelined requests for a stream are one stream, asked about once, and all are gone with their connection', async (t) => {
  let asked = 0;
  const app = await startApp(t, {
    authenticate: () => {
      asked += 1;
      return null;
    },
  });
  const { socket, text } = open(t, app);
  socket.write(get('/realtime/sse/').repeat(1000));
  await until('the stream', () => text().includes('"connected"'));
  t.is(await number(app, 'djr_connections'), 1);
  t.is(await number(app, 'djr_places'), 1);
  t.is(asked, 1);
  await app.realtime.publish({ scope: 'public', type: 'x' });
  await until('its event', () => text().includes('"x"'));
  socket.destroy();
  await until('nothing to be left', async () => (await number(app, 'djr_places')) === 0);
  t.is(await number(app, 'djr_connections'), 0);
});

test('a middleware that throws when a stream begins costs no place, and its connection answers the next request', async (t) => {
  const app = await startApp(t);
  const server = await listen(t, (req, res) => {
    const { writeHead } = res;
    if (req.url!.includes('/sse/')) {
      res.writeHead = () => {
        res.writeHead = writeHead;
        throw new Error('a fault of the middleware');
      };
    }
    void app.realtime.handler(req, res);
  });
  const { socket, text } = open(t, server);
  socket.write(get('/realtime/sse/'));
  await until('an answer', () => /^HTTP\/1\.1 500 /.test(text()));
  t.is(await number(app, 'djr_places'), 0);
  socket.write(get('/realtime/healthz'));
  await until('a second answer', () => text().match(/HTTP\/1\.1 /g)!.length === 2);
});

test('requests behind a refused one get their turn', async (t) => {
  const app = await startApp(t, {
    authenticate: (request) => {
      if (request.headers.get('x-user') === 'nobody') throw new Response('who?', { status: 401 });
      return 'ada';
    },
  });
  const { socket, text } = open(t, app);
  socket.write(
    get('/realtime/sse/', 'nobody') + get('/realtime/healthz') + get('/realtime/sse/') + get('/realtime/healthz'),
  );
  await until('the stream', () => text().includes('"connected"'));
  t.deepEqual(
    [...text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['401', '200', '200'],
  );
  t.is(await number(app, 'djr_places'), 1);
});

test('a stream that has ended counts until its client has gone, and one that reads nothing is dropped', async (t) => {
  const app = await startApp(t, { maxConnectionsPerUser: 1, maxClientBytes: 64 * 1024 * 1024 });
  const { socket, text } = open(t, app);
  socket.write(get('/realtime/sse/'));
  await until('the stream', () => text().includes('"connected"'));
  socket.pause();
  // More than the kernel's buffers hold.
  await app.db.query(
    `select djr.publish_global('big', jsonb_build_object('text', repeat('x', 7000))) from generate_series(1, 2500)`,
  );
  await until('bytes to wait', async () => (await number(app, 'djr_buffered_bytes')) > 1_000_000);
  // Its end: another one takes its place.
  t.is((await app.streamOf('ada')).status, 200);
  t.is(await number(app, 'djr_connections'), 1);
  t.is(await number(app, 'djr_places'), 2);
  await until('it to be dropped', async () => (await number(app, 'djr_places')) === 1);
  await until('the server to have one connection', async () => (await connections(app)) === 1);
  t.pass();
});

const connections = (app: TestApp): Promise<number> =>
  new Promise((resolve) => app.http.getConnections((_error, count) => resolve(count)));

test('the server can be closed before the runtime is stopped, though a client reads nothing', async (t) => {
  const app = await startApp(t, { maxClientBytes: 64 * 1024 * 1024 });
  const { socket, text } = open(t, app);
  socket.write(get('/realtime/sse/'));
  await until('the stream', () => text().includes('"connected"'));
  socket.pause();
  await app.db.query(
    `select djr.publish_global('big', jsonb_build_object('text', repeat('x', 7000))) from generate_series(1, 2500)`,
  );
  await until('bytes to wait', async () => (await number(app, 'djr_buffered_bytes')) > 1_000_000);
  const closed = new Promise<void>((resolve) => app.http.close(() => resolve()));
  await app.realtime.stop();
  await closed;
  t.is(await connections(app), 0);
});

test("a user's further stream takes the place of the oldest, which is told to wait, and this is logged and counted", async (t) => {
  const app = await startApp(t, { maxConnectionsPerUser: 2 });
  const oldest = await app.streamOf('alice');
  const second = await app.streamOf('alice');
  const bob = await app.streamOf('bob');
  const third = await app.streamOf('alice');
  t.is(third.status, 200);
  await oldest.end();
  t.true(oldest.retry! >= 30_000);
  t.is(await number(app, 'djr_connections_closed_total{reason="replaced"}'), 1);
  t.true(app.lines.some(({ level, message }) => level === 'warn' && /maxConnectionsPerUser/.test(message)));
  await app.realtime.publish({ type: 'x', userId: 'alice' });
  for (const stream of [second, third]) await stream.event('x');
  t.false(bob.ended);

  // What it missed is there when it comes back.
  const back = await app.streamOf('alice', '', { lastEventId: oldest.lastEventId });
  await back.event('x');
});

test('a stream that is no longer read goes before an older one that is', async (t) => {
  const app = await startApp(t, { maxConnectionsPerUser: 2, maxClientBytes: 64 * 1024 * 1024 });
  const oldest = await app.streamOf('alice');
  const { socket, text } = open(t, app);
  socket.write(get('/realtime/sse/', 'alice'));
  await until('the stream', () => text().includes('"connected"'));
  socket.pause();
  await app.db.query(
    `select djr.publish_global('big', jsonb_build_object('text', repeat('x', 7000))) from generate_series(1, 2500)`,
  );
  await until('bytes to wait', async () => (await number(app, 'djr_buffered_bytes')) > 1_000_000);
  t.is((await app.streamOf('alice')).status, 200);
  t.false(oldest.ended);
  t.is(await number(app, 'djr_connections_closed_total{reason="replaced"}'), 1);
});

test('clients of one user that outnumber the places cannot chase each other round for ever', async (t) => {
  const app = await startApp(t, { maxConnectionsPerUser: 1 });
  let refused = 0;
  for (let n = 0; n < 40; n += 1) {
    const stream = await app.streamOf('alice', '', { early: true });
    await stream.until('an answer', () => stream.status > 0);
    if (stream.status === 429) refused += 1;
  }
  t.true(refused >= 9, `${refused} were refused`);
  t.is(await number(app, 'djr_connections'), 1);
});

test('no more requests of an address run in authenticate than it may have streams', async (t) => {
  let running = 0;
  let most = 0;
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = await startApp(t, {
    maxConnectionsPerAddress: 5,
    authenticate: async () => {
      running += 1;
      most = Math.max(most, running);
      await gate;
      running -= 1;
      return 'ada';
    },
  });
  const streams = await Promise.all(Array.from({ length: 60 }, () => app.stream('', { early: true })));
  await until('the others to be refused', () => streams.filter(({ status }) => status === 429).length === 55);
  let refused = 0;
  const ack = async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ id: 1, status: 'read' });
    const { status } = await fetch(`${app.origin}/realtime/ack/`, { method: 'POST', headers, body });
    if (status === 429) refused += 1;
  };
  const acks = Array.from({ length: 15 }, ack);
  await until('acknowledgements as well', () => running === 10 && refused === 10);
  release();
  await Promise.all(acks);
  t.is(most, 10);
});
