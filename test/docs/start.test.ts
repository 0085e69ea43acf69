import { spawn } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../../src/testing/embedded.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { adapt, fencedBlocks } from '../helpers/document.js';
import { until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

/** What is the reader's own: who a request is from, in the form that the snippet asks for it. */
const SESSION = `const sessionOf = (cookie) => (cookie === 'session=42' ? { userId: 42 } : undefined);
const userOf = (cookie) => sessionOf(cookie)?.userId ?? null;`;
const MIDDLEWARE = `app.use((req, res, next) => {
  req.session = sessionOf(req.headers.cookie);
  next();
});`;

const TABS: Record<string, { before?: string; session?: string }> = {
  Express: { session: MIDDLEWARE },
  Fastify: {
    session: "app.addHook('onRequest', async (request) => { request.session = sessionOf(request.headers.cookie); });",
  },
  Hono: {},
  Nest: {
    before: `import 'reflect-metadata';
import { Module } from '@nestjs/common';
const AppModule = class {};
Module({})(AppModule);`,
    session: MIDDLEWARE,
  },
  'node:http': {},
};

/** Starts the server of a tab as it stands. @returns its origin, and its process */
async function start(t: ExecutionContext, tab: string, db: TestDatabase) {
  const { before = '', session } = TABS[tab]!;
  const code = (await fencedBlocks('docs/start.md')).find(({ info }) => info === `js [${tab}]`)!.code;
  const port = await freePort();
  const changes: [string, string][] = [['3000', String(port)]];
  if (session) changes.push([/\/\/ … your session \w+ …/.exec(code)![0], session]);
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', `${before}\n${SESSION}\n${adapt(code, changes)}`],
    { env: { ...process.env, DATABASE_URL: db.url }, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  return { origin: `http://127.0.0.1:${port}`, child };
}

for (const tab of Object.keys(TABS)) {
  test(`The tab ${tab} of docs/start.md runs as it stands: a user hears their event, a visitor does not, and SIGTERM ends it`, async (t) => {
    const db = await createDatabase(t);
    const { origin, child } = await start(t, tab, db);
    const answers = () =>
      fetch(`${origin}/realtime/djr.js`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until('the server answers', answers);
    const user = await openStream(t, `${origin}/realtime/sse/`, { headers: { cookie: 'session=42' } });
    const visitor = await openStream(t, `${origin}/realtime/sse/`);
    await db.query(`select djr.publish(42, 'order_paid', '{"total": "19.90"}'), djr.publish_public('end')`);
    await Promise.all([user.event('end'), visitor.event('end')]);
    t.deepEqual([user.types, visitor.types], [['order_paid', 'end'], ['end']]);
    const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
    child.kill('SIGTERM');
    await Promise.all([user.end(), visitor.end(), ended]);
  });
}

test('Each framework that the page promises has a tab', async (t) => {
  const tabs = (await fencedBlocks('docs/start.md')).flatMap(({ info }) => /\[(.*)\]/.exec(info)?.[1] ?? []);
  t.deepEqual(tabs, ['Express', 'Fastify', 'Hono', 'Next', 'Nest', 'SvelteKit', 'Nuxt', 'node:http']);
});
