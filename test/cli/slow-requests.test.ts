import { connect, type Socket } from 'node:net';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { readEvents, start } from './helpers.js';

test('serve ends requests that never end, lets nobody else feel them, and SIGTERM ends it with 0', async (t) => {
  const database = await createDatabase(t);
  const serve = start(t, [
    'serve',
    '-d',
    database.url,
    '--port',
    '0',
    '--session-sql',
    'select $1',
    '--session-cookie',
    'u',
  ]);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const { events } = await readEvents(`${address}sse/`, 1);
  const answers: string[] = [];
  let open = 0;
  const slowly = (first: string, piece: string): Socket => {
    const at = answers.push('') - 1;
    open += 1;
    const socket = connect(Number(new URL(address!).port), '127.0.0.1').setEncoding('utf8');
    const dripping = setInterval(() => socket.writable && socket.write(piece), 500);
    const stop = () => clearInterval(dripping);
    t.teardown(stop);
    socket.on('data', (chunk: string) => {
      answers[at] += chunk;
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      stop();
      open -= 1;
    });
    socket.write(first);
    return socket;
  };
  // Headers that never end, one that says nothing more, and a body that never ends.
  for (let n = 0; n < 20; n += 1) slowly('GET /realtime/sse/ HTTP/1.1\r\nHost: x\r\n', `X-${n}: y\r\n`);
  slowly('GET /realt', '');
  slowly(
    'POST /realtime/ack/ HTTP/1.1\r\nHost: x\r\nCookie: u=ann\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n',
    ' ',
  );
  await until('all of them are ended', () => open === 0, 90);
  t.true(answers.every((answer) => answer.startsWith('HTTP/1.1 408 ')));
  await database.query("select djr.publish_global('still_here')");
  t.deepEqual(await events, [{ type: 'still_here' }]);
  serve.child.kill('SIGTERM');
  t.is((await serve.ended).code, 0);
});
