import test, { type ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { listen, recordingLogger, startApp } from '../helpers/server.js';

type Visit = (path: string, init?: RequestInit) => Promise<Response>;

/** Confirms and replays event 1, as a browser does. */
async function replay(t: ExecutionContext, visit: Visit, root: string): Promise<void> {
  const asked = await visit(`${root}replay/?id=1`);
  t.is(asked.status, 200);
  const token = /name="token" value="([^"]+)"/.exec(await asked.text())![1]!;
  const cookie = asked.headers.get('set-cookie')!.split(';')[0]!;
  const body = new URLSearchParams({ token, ids: '1' });
  const done = await visit(`${root}replay/`, { method: 'POST', body, headers: { cookie }, redirect: 'manual' });
  t.is(done.status, 303);
  t.is(done.headers.get('location'), `${root}replay/?done=2`);
}

const admin = { authorize: () => true };

test('below another base path every link, form and asset is there', async (t) => {
  const { origin, realtime } = await startApp(t, { admin, basePath: '/a/b.c' });
  await realtime.publish({ scope: 'public', type: 'one' });
  const visit: Visit = (path, init) => fetch(origin + path, init);
  for (const start of ['/a/b.c/admin', '/a/b.c/admin/']) {
    const page = await (await visit(start)).text();
    for (const [, path] of page.matchAll(/(?:href|src|action|hx-get)="(\/[^"]*)"/g)) {
      t.regex(path!, /^\/a\/b\.c\/admin\//);
      t.not((await visit(path!)).status, 404, path);
    }
  }
  await replay(t, visit, '/a/b.c/admin/');
});

test('through Fetch: pages, cookies, a replay, and a live view that ends with its reader', async (t) => {
  const db = await createDatabase(t);
  const realtime = createRealtime({ database: db.url, admin, logger: recordingLogger().logger });
  t.teardown(() => realtime.stop());
  await db.query("select djr.publish_global('one')");
  const visit: Visit = (path, init) => realtime.fetch(new Request(`https://app.example${path}`, init));
  t.regex(await (await visit('/realtime/admin/')).text(), /one/);
  t.regex((await visit('/realtime/admin/replay/?id=1')).headers.get('set-cookie')!, /Secure/);
  await replay(t, visit, '/realtime/admin/');

  const live = await visit('/realtime/admin/live/stream/');
  const reader = live.body!.getReader();
  t.regex(new TextDecoder().decode((await reader.read()).value), /watching/);
  await reader.cancel();
  await t.notThrowsAsync(realtime.stop());
});

test('a form that the app has parsed already is as good', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.publish_global('one')");
  const realtime = createRealtime({ database: db.url, admin, logger: recordingLogger().logger });
  const { origin } = await listen(t, async (req, res) => {
    if (req.method === 'POST') {
      let text = '';
      for await (const chunk of req) text += chunk;
      Object.assign(req, { body: Object.fromEntries(new URLSearchParams(text)) });
    }
    realtime.handler(req, res);
  });
  t.teardown(() => realtime.stop());
  await replay(t, (path, init) => fetch(origin + path, init), '/realtime/admin/');
});
