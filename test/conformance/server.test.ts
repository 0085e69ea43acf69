import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startApp } from '../helpers/server.js';
import { serverCases } from './case.js';
import { runServerCases } from './server-runner.js';

const LOGIN = 'x-user: {user}';

test('Two instances of djr pass every case of the wire', async (t) => {
  const first = await startApp(t);
  const second = await startApp(t, {}, first.db);
  const cases = await serverCases();
  const outcomes = await runServerCases(cases, {
    endpoint: `${first.origin}/realtime/`,
    second: `${second.origin}/realtime/`,
    database: first.db.url,
    login: LOGIN,
    patience: 60_000,
  });
  t.deepEqual(
    outcomes.filter(({ result }) => result !== 'passed'),
    [],
  );
  t.is(outcomes.length, cases.length);
});

for (const [title, frames] of [
  ['says nothing', ''],
  ['connects and delivers nothing', 'data: {"type":"connected"}\n\n'],
] as const) {
  test(`A server that ${title} passes no case`, async (t) => {
    const db = await createDatabase(t);
    const server = createServer((_, response) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      response.write(frames || ': nothing\n\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realtime/`;
    const target = { endpoint, second: endpoint, database: db.url, login: LOGIN, patience: 300 };
    const outcomes = await runServerCases(await serverCases(), target);
    t.deepEqual(
      outcomes.filter(({ result }) => result !== 'failed').map(({ name }) => name),
      [],
    );
  });
}
