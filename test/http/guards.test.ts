import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { openAdmin } from '../helpers/admin.js';
import { startApp } from '../helpers/server.js';

const staff = (request: Request): boolean => request.headers.get('x-staff') === 'yes';

test('metrics are for those whom metrics.authorize lets in, whatever the spelling of their path', async (t) => {
  const app = await startApp(t, { metrics: { authorize: staff } });
  for (const path of ['metrics', 'metrics/', 'metrics?x=1', 'metrics/?x=1']) {
    const refused = await fetch(`${app.origin}/realtime/${path}`);
    t.is(refused.status, 403, path);
    t.notRegex(await refused.text(), /djr_/);
    t.is((await fetch(`${app.origin}/realtime/${path}`, { method: 'HEAD' })).status, 403, path);
    const seen = await fetch(`${app.origin}/realtime/${path}`, { headers: { 'x-staff': 'yes' } });
    t.regex(await seen.text(), /djr_connections/, path);
  }
  for (const path of ['/metrics//', '//metrics', '/%6detrics', '/METRICS']) {
    t.is((await fetch(`${app.origin}/realtime${path}`)).status, 404, path);
  }
  t.regex(await app.realtime.metrics(), /djr_connections/, 'the app itself may have them');
});

test('nothing but true lets in; an error is logged, a Response is the answer, and a hang has an end', async (t) => {
  const app = await startApp(t, {
    hookTimeout: 100,
    metrics: {
      authorize: (request) => {
        const how = request.headers.get('x-how');
        if (how === 'throw') throw new Error('the session store is away');
        if (how === 'response') return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic' } });
        if (how === 'hang') return new Promise(() => {});
        return 'yes' as never;
      },
    },
  });
  const status = async (how: string) => fetch(`${app.origin}/realtime/metrics`, { headers: { 'x-how': how } });
  t.is((await status('')).status, 403);
  t.is((await status('throw')).status, 403);
  t.true(app.lines.some(({ level, message }) => level === 'error' && /metrics\.authorize failed/.test(message)));
  t.is((await status('response')).headers.get('www-authenticate'), 'Basic');
  t.is((await status('hang')).status, 403);
});

test('healthz has three degrees, and a guard', async (t) => {
  const app = await startApp(t);
  const healthz = async (health: Parameters<typeof createRealtime>[0], headers = {}) => {
    const { realtime } = await startApp(t, health, app.db);
    const answer = await realtime.fetch(new Request('http://x/realtime/healthz/', { headers }));
    return { status: answer.status, body: answer.status === 404 ? {} : ((await answer.json()) as object) };
  };
  t.true('checks' in (await healthz({})).body);
  t.true('checks' in (await healthz({ health: 'public' })).body);
  t.deepEqual(await healthz({ health: 'brief' }), { status: 200, body: { status: 'ok' } });
  t.is((await healthz({ health: 'off' })).status, 404);
  const guarded = { health: { authorize: staff } };
  t.deepEqual(await healthz(guarded), { status: 200, body: { status: 'ok' } });
  t.true('checks' in (await healthz(guarded, { 'x-staff': 'yes' })).body);
  const failing = createRealtime({ database: app.db.url, health: 'brief' });
  const answer = await failing.fetch(new Request('http://x/realtime/healthz'));
  t.is(answer.status, 503);
  t.deepEqual(await answer.json(), { status: 'failing' });
});

test('the live view opens no more once the runtime has stopped', async (t) => {
  const { root, realtime } = await openAdmin(t);
  const visit = () => fetch(`${root}live/stream/`, { headers: { 'x-admin': 'yes' } });
  const open = await visit();
  t.is(open.status, 200);
  await realtime.stop();
  await open.text();
  const refused = await visit();
  t.is(refused.status, 503);
  t.is(refused.headers.get('retry-after'), '1');
});
