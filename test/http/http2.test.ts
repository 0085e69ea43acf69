import { connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { startApp, type TestApp, until } from '../helpers/server.js';

async function serve(t: Parameters<typeof startApp>[0], app: TestApp) {
  const server = createServer(app.realtime.handler as unknown as Parameters<typeof createServer>[1]);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: 65_535 },
  });
  session.on('error', () => {});
  t.teardown(() => {
    session.destroy();
    server.close();
  });
  return session;
}

const bulk = (app: TestApp, events: number) =>
  app.db.query(
    `select djr.publish_global('bulk', jsonb_build_object('n', i, 'text', repeat('x', 7000))) from generate_series(1, $1::int) i`,
    [events],
  );

test('a client of HTTP/2 that reads slowly but steadily is not taken for one that does not read', async (t) => {
  const app = await startApp(t, { writeTimeout: 3000, maxClientBytes: 64 * 1024 * 1024 });
  const session = await serve(t, app);
  const stream = session.request({ ':path': '/realtime/sse/' });
  stream.on('error', () => {});
  let text = '';
  let bytes = 0;
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    bytes += chunk.length;
    if (bytes < 20_000) return;
    bytes = 0;
    // Fifty pauses, four time-outs in all, each much shorter than one.
    stream.pause();
    setTimeout(() => stream.resume(), 250);
  });
  await until('the connected frame', () => text.includes('"connected"'));
  await bulk(app, 150);
  await until('it has all, or was closed', () => stream.closed || text.includes('"n": 150,'));
  t.true(text.includes('"n": 150,'));
  t.deepEqual(
    [...text.matchAll(/"n": (\d+),/g)].map(([, n]) => Number(n)),
    Array.from({ length: 150 }, (_, n) => n + 1),
  );
  t.deepEqual(
    app.lines.filter(({ context }) => context.reason === 'stalled'),
    [],
  );
});

test('a client of HTTP/2 that does not read is closed at its time-out, and counts no longer', async (t) => {
  const app = await startApp(t, { writeTimeout: 500, maxClientBytes: 64 * 1024 * 1024 });
  const session = await serve(t, app);
  const stream = session.request({ ':path': '/realtime/sse/' });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('response', resolve));
  await bulk(app, 150);
  await until('the log says so', () => app.lines.some(({ context }) => context.reason === 'stalled'));
  await until('its place is free', async () => /^djr_places 0$/m.test(await app.realtime.metrics()));
  t.pass();
});

test('a stream of HTTP/2 ends with what was buffered for it when the runtime stops', async (t) => {
  const app = await startApp(t);
  const session = await serve(t, app);
  const stream = session.request({ ':path': '/realtime/sse/' });
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise((resolve) => stream.once('end', resolve));
  await until('the connected frame', () => text.includes('"connected"'));
  await bulk(app, 11);
  // They come in several messages; what has been written to the stream need not have gone.
  await until('all are written', async () =>
    /^djr_deliveries_total\{result="sent"\} 11$/m.test(await app.realtime.metrics()),
  );
  await app.realtime.stop();
  await ended;
  t.regex(text, /"n": 11,[\s\S]*retry: \d+\n\n$/);
});
