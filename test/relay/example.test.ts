import { spawn } from 'node:child_process';
import { createDatabase } from '../helpers/database.js';
import { findProgram } from '../helpers/debian.js';
import { natsTest } from '../helpers/nats.js';
import { until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

const test = findProgram('haproxy') === undefined && !process.env.CI ? natsTest.skip : natsTest;

test('examples/relay/start.sh starts servers, sources, edges and HAProxy, which serve what is published', async (t) => {
  const db = await createDatabase(t);
  const child = spawn('examples/relay/start.sh', {
    env: { ...process.env, DATABASE_URL: db.url, DJR: `${process.execPath} dist/cli/main.js` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  }
  t.teardown(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  });
  await until(
    'three edges behind HAProxy',
    async () => {
      if (log.match(/listening on/g)?.length !== 5) return false;
      return fetch('http://127.0.0.1:8080/realtime/healthz').then(
        ({ status }) => status === 200,
        () => false,
      );
    },
    90,
  ).catch((error: Error) => t.fail(`${error.message}\n${log.slice(-3000)}`));
  const stream = await openStream(t, 'http://127.0.0.1:8080/realtime/sse/');
  await db.query(`select djr.publish_public('hello')`);
  await stream.event('hello');
  t.deepEqual(stream.types, ['hello']);
});
