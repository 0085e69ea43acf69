import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { startApp, type TestApp, until } from '../helpers/server.js';

/** Sends a request as it is, and gives back all that comes until the server closes the connection. */
function raw(app: TestApp, request: string): Promise<string> {
  const socket = connect(Number(new URL(app.origin).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(request);
  return text(socket);
}

const connections = async (app: TestApp) => {
  const metrics = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  return Number(/^djr_connections (\d+)$/m.exec(metrics)![1]);
};

test('A URL or a header that Node does not take is a 431 or a 400; nothing stays behind, and others go on', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const long = 'x'.repeat(20_000);
  const get = (target: string, header = 'X: y') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n`;
  for (const request of [
    get(`/realtime/sse/?lastEventId=${long}`),
    get('/realtime/sse/', `Last-Event-ID: ${long}`),
    get('/realtime/sse/', `${long}: x`),
    get('/realtime/sse/', Array.from({ length: 3000 }, (_, n) => `X-${n}: y`).join('\r\n')),
  ]) {
    t.regex(await raw(app, request), /^HTTP\/1\.1 431 /, request.slice(0, 60));
  }
  for (const request of [
    get('/realtime/sse/', 'Last-Event-ID: a\rb'),
    get('/realtime/sse/', 'No colon'),
    'GET /realtime/sse/ HTTP/1.1\r\n\r\n',
    'rubbish\r\n\r\n',
  ]) {
    t.regex(await raw(app, request), /^HTTP\/1\.1 400 /, request.slice(0, 60));
  }
  t.is(await connections(app), 1);
  await app.realtime.publish({ scope: 'public', type: 'x' });
  await stream.event('x');
});

test('A Last-Event-ID as long as Node takes one, and as many headers, get a stream', async (t) => {
  const app = await startApp(t);
  const reset = await app.stream('', { lastEventId: `1-${'9.'.repeat(7500)}` });
  await reset.event('reset');
  // Node keeps 1,000 of them.
  const headers = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`x-${n}`, '']));
  const many = await app.stream('', { headers });
  t.is(many.status, 200);
  await app.realtime.publish({ scope: 'public', type: 'x' });
  for (const stream of [reset, many]) await stream.event('x');
  reset.close();
  many.close();
  await until('both are forgotten', async () => (await connections(app)) === 0);
  t.pass();
});
