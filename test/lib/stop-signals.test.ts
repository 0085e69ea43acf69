import { spawn } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { createDatabase } from '../helpers/database.js';
import { openStream } from '../helpers/stream.js';

/** A server that closes at SIGTERM and waits for its answers, as frameworks do; it never stops the runtime itself. */
async function start(t: ExecutionContext, more: string) {
  const db = await createDatabase(t);
  const code = `
    import { createServer } from 'node:http';
    import { createRealtime } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
    const realtime = createRealtime({ database: process.env.DATABASE_URL, stopOn: ['SIGTERM'] });
    const server = createServer(realtime.handler);
    ${more}
    await realtime.start();
    server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
  `;
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '-e', code], {
    env: { ...process.env, DATABASE_URL: db.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<[number | null, string | null]>((resolve) =>
    child.once('exit', (exit, signal) => resolve([exit, signal])),
  );
  const port = await new Promise<string>((resolve) =>
    child.stdout.on('data', (chunk) => resolve(/port (\d+)/.exec(String(chunk))![1]!)),
  );
  return { child, ended, stream: await openStream(t, `http://127.0.0.1:${port}/realtime/sse/`) };
}

test('stopOn ends the streams that a server waits for before it ends', async (t) => {
  const { child, ended, stream } = await start(
    t,
    "process.on('SIGTERM', () => server.close(() => setTimeout(() => process.exit(7), 100)));",
  );
  child.kill('SIGTERM');
  await stream.end();
  t.true(stream.retry! < 6000);
  t.deepEqual(await ended, [7, null]);
});

test('where nobody else hears the signal, the process ends by it once the streams have ended', async (t) => {
  const { child, ended, stream } = await start(t, '');
  child.kill('SIGTERM');
  await stream.end();
  t.deepEqual(await ended, [null, 'SIGTERM']);
});

test('an app that listens for the signal once ends by itself, however long after the streams', async (t) => {
  const { child, ended, stream } = await start(
    t,
    "process.once('SIGTERM', () => server.close(() => setTimeout(() => process.exit(7), 500)));",
  );
  child.kill('SIGTERM');
  await stream.end();
  t.deepEqual(await ended, [7, null]);
});

test('where only runtimes hear the signal, the process ends by it once the last of them has stopped', async (t) => {
  const { child, ended, stream } = await start(
    t,
    `const other = createRealtime({ database: process.env.DATABASE_URL, stopOn: ['SIGTERM'] });
     await other.start();`,
  );
  child.kill('SIGTERM');
  await stream.end();
  t.deepEqual(await ended, [null, 'SIGTERM']);
});
