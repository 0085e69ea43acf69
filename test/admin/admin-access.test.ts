import test from 'ava';
import { openAdmin } from '../helpers/admin.js';
import { startApp } from '../helpers/server.js';

test('there is no admin until it is configured', async (t) => {
  const { origin } = await startApp(t);
  const response = await fetch(`${origin}/realtime/admin/`);
  t.is(response.status, 404);
  t.is(response.headers.get('content-type'), 'application/problem+json');
  t.is((await fetch(`${origin}/realtime/admin/assets/admin.css`)).status, 404);
});

test('whoever is not authorised gets a page that says so, on every route', async (t) => {
  const { origin, db } = await openAdmin(t);
  await db.query("select djr.publish_global('secret_type')");
  for (const path of ['', 'events/1/', 'events/1/private/', 'overview/', 'live/', 'live/stream/', 'replay/?id=1']) {
    const response = await fetch(`${origin}/realtime/admin/${path}`);
    t.is(response.status, 403, path);
    t.regex(response.headers.get('content-type')!, /^text\/html/);
    t.notRegex(await response.text(), /secret_type/);
  }
  t.is((await fetch(`${origin}/realtime/admin/replay/`, { method: 'POST' })).status, 403);
});

test('who is logged out meanwhile gets the page anew from htmx, and so the refusal', async (t) => {
  const { root } = await openAdmin(t);
  const response = await fetch(`${root}overview/`, { headers: { 'hx-request': 'true' } });
  t.is(response.status, 403);
  t.is(response.headers.get('hx-refresh'), 'true');
});

test('authorize that throws lets nobody in and is logged; what is not true does not, either', async (t) => {
  const { root, lines } = await openAdmin(t, {
    admin: {
      authorize: (request) => {
        if (request.headers.has('x-odd')) return 'yes' as never;
        throw new Error('the session store is away');
      },
    },
  });
  t.is((await fetch(root)).status, 403);
  t.true(lines.some(({ level, message }) => level === 'error' && /admin\.authorize failed/.test(message)));
  t.is((await fetch(root, { headers: { 'x-odd': '1' } })).status, 403);
});

test('a Response that authorize returns or throws is the answer, with its cookies', async (t) => {
  const { root } = await openAdmin(t, {
    admin: {
      authorize: (request) => {
        const headers = new Headers({ location: '/login' });
        headers.append('set-cookie', 'a=1');
        headers.append('set-cookie', 'b=2');
        const redirect = new Response(null, { status: 302, headers });
        if (request.headers.has('x-throw')) throw redirect;
        return redirect;
      },
    },
  });
  for (const headers of [{}, { 'x-throw': '1' }] as Record<string, string>[]) {
    const response = await fetch(root, { redirect: 'manual', headers });
    t.is(response.status, 302);
    t.is(response.headers.get('location'), '/login');
    t.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  }
});

test('pages allow nothing but our own files, no frame, no cache', async (t) => {
  const { visit } = await openAdmin(t);
  for (const path of ['', 'overview/', 'live/', 'nowhere/']) {
    const { headers } = await visit(path);
    const policy = headers.get('content-security-policy')!;
    t.regex(policy, /default-src 'none'.*script-src 'self';.*style-src 'self';.*frame-ancestors 'none'/);
    t.notRegex(policy, /unsafe/);
    t.is(headers.get('cache-control'), 'private, no-store');
    t.is(headers.get('referrer-policy'), 'same-origin');
  }
});

test('an unknown page is a page, and so is a wrong method', async (t) => {
  const { visit } = await openAdmin(t);
  for (const path of ['nowhere/', 'events/', 'events/x/', 'events/1/private/more/', 'assets/', 'assets/..%2fmain.js']) {
    const response = await visit(path);
    t.is(response.status, 404, path);
    t.regex(await response.text(), /<h1>Nothing here/);
  }
  const response = await visit('', { method: 'DELETE' });
  t.is(response.status, 405);
  t.is(response.headers.get('allow'), 'GET, HEAD');
  t.is((await visit('', { method: 'HEAD' })).status, 200);
  t.is((await visit('live/stream/', { method: 'POST' })).status, 405);
});

test('assets have an ETag, and need no login, as the page that refuses has a style', async (t) => {
  const { root } = await openAdmin(t);
  for (const [name, type] of [
    ['admin.css', /^text\/css/],
    ['admin.js', /^text\/javascript/],
    ['htmx.min.js', /^text\/javascript/],
  ] as const) {
    const response = await fetch(`${root}assets/${name}`);
    t.is(response.status, 200, name);
    t.regex(response.headers.get('content-type')!, type);
    const again = await fetch(`${root}assets/${name}`, { headers: { 'if-none-match': response.headers.get('etag')! } });
    t.is(again.status, 304);
  }
});
