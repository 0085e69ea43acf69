import { request } from 'node:http';
import test from 'ava';
import { createRealtime, DjrError } from '../../src/index.js';
import { startApp, type TestApp } from '../helpers/server.js';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
}

/** node:http, as fetch decides over `Origin` itself. */
const ask = (app: TestApp, path: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(`${app.origin}/realtime/${path}`, { method, headers, agent: false }, (response) => {
      resolve({ status: response.statusCode!, headers: response.headers });
      sent.destroy();
    });
    sent.once('error', reject).end();
  });

test('an origin of allowedOrigins is compared as a whole, and a star is exactly one label', async (t) => {
  const app = await startApp(t, {
    allowedOrigins: [
      'https://app.example.org',
      'https://*.example.com',
      'http://*.localhost:3000',
      'capacitor://localhost',
      'ionic://localhost',
      'tauri://localhost',
      'chrome-extension://abcdefghijklmnop',
    ],
  });
  const allowed = [
    'https://app.example.org',
    'https://a.example.com',
    'https://xn--bcher-kva.example.com',
    'http://shop.localhost:3000',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefghijklmnop',
  ];
  for (const origin of allowed) {
    const { status, headers } = await ask(app, 'sse/', { origin });
    t.is(status, 200, origin);
    t.is(headers['access-control-allow-origin'], origin);
  }
  for (const origin of [
    'https://example.com',
    'https://evilexample.com',
    'https://a.b.example.com',
    'https://.example.com',
    'https://-.example.com',
    'https://a.example.com.evil.org',
    'https://a.example.com:8443',
    'http://a.example.com',
    'https://evil.org/.example.com',
    'https://evil@a.example.com',
    'https://app.example.org:444',
    'https://a.app.example.org',
    'http://shop.localhost',
    'capacitor://localhost.evil.org',
    'capacitor://evil',
    'chrome-extension://ponmlkjihgfedcba',
    'null',
    'file://',
  ]) {
    t.is((await ask(app, 'sse/', { origin })).status, 403, origin);
    t.is((await ask(app, 'sse/', { origin }, 'OPTIONS')).status, 403, origin);
  }
});

test("an app's page at localhost is not the page of a server at localhost", async (t) => {
  const app = await startApp(t);
  t.is((await ask(app, 'sse/', { host: 'localhost', origin: 'http://localhost' })).status, 200);
  t.is((await ask(app, 'sse/', { host: 'localhost', origin: 'capacitor://localhost' })).status, 403);
});

for (const entry of [
  '*',
  'https://*',
  'https://*.com',
  'https://*.*.example.com',
  'https://a.*.example.com',
  'https://*example.com',
  'https://*.example.com/',
  'https://*.EXAMPLE.com',
  'https://*.1.2.3.4',
  '*.example.com',
  'capacitor://*.localhost',
  'capacitor://',
  'null',
  'example.com',
  'https://app.example.com/path',
  '',
]) {
  test(`allowedOrigins refuses ${JSON.stringify(entry)} at once, and says what it may have`, (t) => {
    const error = t.throws(() => createRealtime({ allowedOrigins: [entry] }), { instanceOf: DjrError });
    t.is(error.message.split(':')[0], 'Option allowedOrigins.0');
    t.regex(error.message, /https:\/\/\*\.example\.com/);
  });
}

test('a preflight of an allowed origin may send Authorization and Last-Event-ID, and needs no login', async (t) => {
  const app = await startApp(t, {
    allowedOrigins: ['https://app.example.com'],
    authenticate: () => {
      throw new Error('it is asked');
    },
  });
  const origin = 'https://app.example.com';
  const { status, headers } = await ask(
    app,
    'sse/',
    {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,last-event-id',
    },
    'OPTIONS',
  );
  t.is(status, 204);
  t.is(headers['access-control-allow-origin'], origin);
  t.is(headers['access-control-allow-credentials'], 'true');
  t.is(headers['access-control-allow-methods'], 'GET');
  t.regex(String(headers['access-control-allow-headers']), /Authorization.*Last-Event-ID/);
  t.is(headers.allow, 'GET, OPTIONS');
  t.false(/refused_total\{status="204"/.test(await app.realtime.metrics()));
});

test('no answer that may be personal is kept by a cache or embedded by another origin', async (t) => {
  const app = await startApp(t, {
    admin: { authorize: (request) => request.headers.has('x-user') },
    authenticate: (request) => {
      const user = request.headers.get('x-user');
      if (user === 'refused') return new Response('no', { status: 403 });
      return user;
    },
  });
  const answers: [string, Record<string, string>, string?][] = [
    ['sse/', {}],
    ['sse/', { 'x-user': 'ada' }],
    ['sse/', { 'x-user': 'refused' }],
    ['sse/', {}, 'POST'],
    ['sse/', { origin: 'https://evil.example' }],
    ['ack/', { 'content-type': 'application/json' }, 'POST'],
    ['nothing', {}],
    ['admin/', {}],
    ['admin/', { 'x-user': 'ada' }],
    ['admin/live/stream/', { 'x-user': 'ada' }],
  ];
  for (const [path, sent, method] of answers) {
    const { headers } = await ask(app, path, sent, method);
    t.regex(String(headers['cache-control']), /^private, no-store/, path);
    if (sent['x-user'] !== 'refused') t.is(headers['cross-origin-resource-policy'], 'same-origin', path);
  }
  const stream = await ask(app, 'sse/', {});
  t.is(stream.headers['cache-control'], 'private, no-store, no-transform');
});
