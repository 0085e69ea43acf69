import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { Realtime } from '../src/index.js';
import { createDatabase, type TestDatabase } from './helpers/database.js';
import { listen, until } from './helpers/server.js';

const library = new URL('../src/index.ts', import.meta.url).href;

/** A module of an app with a runtime in it. @returns what loads it anew, as a development server does after an edit */
async function writeModule(t: ExecutionContext, database: TestDatabase, hot: unknown) {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-hot-'));
  const file = path.join(folder, 'realtime.mjs');
  const options = JSON.stringify({ database: database.url, hot });
  await writeFile(
    file,
    `import { createRealtime } from ${JSON.stringify(library)};\nexport const realtime = createRealtime(${options});\n`,
  );
  const runtimes: Realtime[] = [];
  t.teardown(async () => {
    await Promise.all(runtimes.map((runtime) => runtime.stop()));
    await rm(folder, { recursive: true, force: true });
  });
  return async (): Promise<Realtime> => {
    const { realtime } = (await import(`${pathToFileURL(file).href}?${runtimes.length}`)) as { realtime: Realtime };
    runtimes.push(realtime);
    return realtime;
  };
}

/** Connections of djr's to this database. */
const connections = async (database: TestDatabase): Promise<number> => {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity where datname = current_database() and application_name = 'djr'`,
  );
  return row!.count;
};

for (const hot of [true, 'a key']) {
  test(`hot: ${hot}: a module that is loaded anew stops the runtime that it made before`, async (t) => {
    const database = await createDatabase(t);
    const load = await writeModule(t, database, hot === true ? hot : `${hot} ${database.name}`);
    const first = await load();
    await first.start();
    const server = await listen(t, first.handler);
    const stream = await server.stream();
    const ofOne = await connections(database);
    t.true(ofOne > 0);

    for (let edit = 0; edit < 4; edit += 1) await (await load()).start();
    await stream.end();
    await until('the connections of one runtime', async () => (await connections(database)) <= ofOne);
  });
}

test('what mounted the runtime of before goes on with the new one', async (t) => {
  const database = await createDatabase(t);
  const load = await writeModule(t, database, database.name);
  const first = await load();
  const { handler } = first;
  const server = await listen(t, handler);
  const second = await load();
  const heard: unknown[] = [];
  second.subscribe('x', ({ detail }) => heard.push(detail));
  const stream = await server.stream();
  await first.publish({ scope: 'public', type: 'x', detail: { by: 'the first' } });
  t.like((await stream.event('x')).data, { by: 'the first' });
  await until('the subscriber', () => heard.length === 1);
  t.is(first.handler, handler);
});

test('runtimes of other keys, and those without one, are left alone', async (t) => {
  const database = await createDatabase(t);
  const keys = [`${database.name} one`, `${database.name} two`, false, undefined];
  const all = await Promise.all(keys.map(async (key) => (await writeModule(t, database, key))()));
  const again = await Promise.all([false, undefined].map(async (key) => (await writeModule(t, database, key))()));
  for (const runtime of [...all, ...again]) await runtime.start();
  for (const runtime of [...all, ...again]) t.is(runtime.health().ok, true);
});

test('a module with a wrong option leaves the runtime of before as it is', async (t) => {
  const database = await createDatabase(t);
  const first = await (await writeModule(t, database, database.name))();
  await first.start();
  const { createRealtime } = await import('../src/index.js');
  t.throws(() => createRealtime({ hot: database.name, heartbeat: -1 }), { code: 'DJR_CONFIG' });
  t.is(first.health().ok, true);
});
