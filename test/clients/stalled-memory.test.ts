import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { startApp, type TestApp, until } from '../helpers/server.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const metric = async (app: TestApp, name: string) => {
  const text = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)![1]);
};

const closedAsSlow = (app: TestApp) => app.lines.filter(({ context }) => context.reason === 'slow');

test('Fifty clients that stop reading cost at most fifty times the bound of one, and nothing once they are closed', async (t) => {
  const bound = 256 * 1024;
  const stalled = 50;
  const piece = 32 * 1024;
  const app = await startApp(t, {
    maxClientBytes: bound,
    writeTimeout: 600_000,
    // Bytes of its own for each client: those of an event as it is are shared.
    beforeSend(event, { userId }) {
      event.detail.text = userId === 'reads' ? '' : 'x'.repeat(piece);
      return event;
    },
  });
  const sockets = Array.from({ length: stalled }, () => {
    const socket = connect(Number(new URL(app.origin).port), '127.0.0.1');
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    socket.write('GET /realtime/sse/ HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  });
  const reads = await app.streamOf('reads');
  await until('all are connected', async () => (await metric(app, 'djr_connections')) === stalled + 1);
  for (const socket of sockets) socket.pause();

  const memory = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = memory();
  let sent = 0;
  let buffered = 0;
  let taken = 0;
  // Some megabytes of each are the kernel's.
  while (closedAsSlow(app).length < stalled && sent < 400) {
    await app.realtime.publish({ scope: 'public', type: 'n' });
    sent += 1;
    await reads.count(sent);
    buffered = Math.max(buffered, await metric(app, 'djr_buffered_bytes'));
    taken = Math.max(taken, memory() - before);
  }
  t.is(closedAsSlow(app).length, stalled);
  t.true(buffered > bound && buffered <= stalled * bound, `${buffered} bytes waited`);
  // The sockets at the other end are in this process, too, and hold up to 64 kB each.
  t.true(taken <= stalled * 2 * bound, `${taken} bytes were taken`);
  t.is(await metric(app, 'djr_buffered_bytes'), 0);
  t.is(await metric(app, 'djr_connections'), 1);
  t.true(memory() - before <= stalled * bound);
});

test('A client whose beforeSend does not answer costs at most its bound, and holds up nobody', async (t) => {
  const bound = 64 * 1024;
  const app = await startApp(t, {
    maxClientBytes: bound,
    hookTimeout: 600_000,
    beforeSend: (event, { userId }) => (userId === 'hangs' ? new Promise(() => {}) : event),
  });
  const [hangs, reads] = await Promise.all([app.streamOf('hangs'), app.streamOf('reads')]);
  let sent = 0;
  let buffered = 0;
  while (closedAsSlow(app).length === 0 && sent < 50) {
    await app.realtime.publish({ scope: 'public', type: 'n', detail: { text: 'x'.repeat(7000) } });
    sent += 1;
    await reads.count(sent);
    buffered = Math.max(buffered, await metric(app, 'djr_buffered_bytes'));
  }
  await hangs.end();
  t.true(buffered > 0 && buffered <= bound, `${buffered} bytes waited`);
  t.is(closedAsSlow(app).length, 1);
  t.is(await metric(app, 'djr_buffered_bytes'), 0);
});
