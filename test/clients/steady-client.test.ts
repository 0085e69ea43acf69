import test from 'ava';
import { publishBulk, rawClient } from '../helpers/raw-client.js';
import { startApp, until } from '../helpers/server.js';

// In a file, and so a process, of its own: whatever else keeps this one busy makes the reader slower than it means to be.
test.serial(
  'A client that reads slowly but steadily stays, though its buffer never empties for many write time-outs',
  async (t) => {
    const app = await startApp(t, { writeTimeout: 1500, maxClientBytes: 1024 ** 3 });
    const slow = await rawClient(t, app);
    let tail = '';
    let read = 0;
    slow.socket.on('data', (chunk) => {
      tail = `${tail}${chunk}`.slice(-16_000);
      read += chunk.length;
      // A pause for each megabyte: fifteen of them in a time-out, as the kernel lets the sender know of several megabytes
      // at once; and more than three time-outs in all.
      if (read < 2 ** 20) return;
      read = 0;
      slow.socket.pause();
      setTimeout(() => slow.socket.resume(), 100);
    });
    // 49 MB: more than the kernel's buffers hold.
    const sent = 7000;
    for (let n = 0; n < sent; n += 500) await publishBulk(app, n + 1, n + 500);
    const all = () => tail.includes(`"n": ${sent},`);
    await until('it has all, or was closed', () => slow.socket.closed || all());
    t.true(all());
    t.deepEqual(
      app.lines.filter(({ context }) => context.reason === 'stalled'),
      [],
    );
  },
);

test.serial('A process that was held up itself closes no client for it', async (t) => {
  const app = await startApp(t, { writeTimeout: 400, maxClientBytes: 1024 ** 3 });
  const slow = await rawClient(t, app);
  slow.socket.pause();
  let sent = 0;
  const waits = async () =>
    /^djr_buffered_bytes [1-9]/m.test(await (await fetch(`${app.origin}/realtime/metrics`)).text());
  while (!(await waits())) {
    await publishBulk(app, sent + 1, sent + 50);
    sent += 50;
  }
  // Nothing runs meanwhile: neither reading nor looking.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
  let tail = '';
  slow.socket.on('data', (chunk) => {
    tail = `${tail}${chunk}`.slice(-16_000);
  });
  slow.socket.resume();
  await until('it has all, or was closed', () => slow.socket.closed || tail.includes(`"n": ${sent},`));
  t.false(slow.socket.closed);
});
