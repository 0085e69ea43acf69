import { request } from 'node:http';
import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { listen, startApp, until } from '../helpers/server.js';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** node:http, as fetch decides over `Origin` itself. */
const ask = (url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let body = '';
      const answer = () => resolve({ status: response.statusCode!, headers: response.headers, body });
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        answer();
        sent.destroy();
        return;
      }
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', answer);
    });
    sent.once('error', reject);
    sent.end();
  });

/** What every refusal of the API is, RFC 9457. */
const problemOf = ({ status, headers, body }: Answer) => {
  const problem = JSON.parse(body);
  return {
    status,
    type: headers['content-type'],
    same: problem.status === status,
    text: typeof problem.title === 'string' && problem.detail.length > 10,
  };
};
const PROBLEM = { type: 'application/problem+json', same: true, text: true };

test('Pages of other origins are refused, unless they are allowed', async (t) => {
  const app = await startApp(t, { allowedOrigins: ['https://app.example.com'] });
  const url = `${app.origin}/realtime/sse/`;
  const foreign = await ask(url, { origin: 'https://evil.example.com' });
  t.deepEqual(problemOf(foreign), { status: 403, ...PROBLEM });
  t.is(foreign.headers['access-control-allow-origin'], undefined);
  t.is((await ask(url, { origin: 'null' })).status, 403);
  t.is((await ask(url, { origin: 'https://app.example.com.evil.com' })).status, 403);

  const allowed = await ask(url, { origin: 'https://app.example.com' });
  t.is(allowed.status, 200);
  t.is(allowed.headers['access-control-allow-origin'], 'https://app.example.com');
  t.is(allowed.headers['access-control-allow-credentials'], 'true');
  t.is(allowed.headers.vary, 'Origin');
  const own = await ask(url, { origin: app.origin });
  t.is(own.status, 200);
  t.is(own.headers['access-control-allow-origin'], undefined);
});

test('A page of an allowed origin can read why it was refused', async (t) => {
  const app = await startApp(t, {
    allowedOrigins: ['https://app.example.com'],
    authenticate: () => {
      throw new Error('no');
    },
  });
  const refused = await ask(`${app.origin}/realtime/sse/`, { origin: 'https://app.example.com' });
  t.is(refused.status, 401);
  t.is(refused.headers['access-control-allow-origin'], 'https://app.example.com');
});

test('A wrong method is 405 with Allow, a wrong path 404', async (t) => {
  const app = await startApp(t);
  for (const [path, allow] of [
    ['sse/', 'GET, OPTIONS'],
    ['djr.js', 'GET, HEAD'],
    ['healthz', 'GET, HEAD'],
  ]) {
    const answer = await ask(`${app.origin}/realtime/${path}`, {}, 'POST');
    t.deepEqual(problemOf(answer), { status: 405, ...PROBLEM });
    t.is(answer.headers.allow, allow);
  }
  for (const path of ['', '/', '/nothing', '/admin/', '/admin', '/sse/more', '/toString', '/__proto__']) {
    t.deepEqual(problemOf(await ask(`${app.origin}/realtime${path}`)), { status: 404, ...PROBLEM }, path);
  }
});

test('The browser client has an ETag, a cache time, and answers HEAD', async (t) => {
  const app = await startApp(t);
  const cached = { 'djr.js': /max-age=\d+/, 'djr.mjs': /max-age=\d+/, 'djr-topics.mjs': /no-cache/ };
  for (const [name, howLong] of Object.entries(cached)) {
    const url = `${app.origin}/realtime/${name}`;
    const full = await ask(url);
    t.is(full.status, 200);
    t.is(full.headers['content-type'], 'text/javascript; charset=utf-8');
    t.regex(full.headers['cache-control'] as string, howLong);
    t.is(Number(full.headers['content-length']), Buffer.byteLength(full.body));
    const head = await ask(url, {}, 'HEAD');
    t.is(head.headers['content-length'], full.headers['content-length']);
    t.is(head.body, '');
    const etag = full.headers.etag as string;
    const known = await ask(url, { 'if-none-match': `"other", W/${etag}` });
    t.is(known.status, 304);
    t.is(known.body, '');
    t.is(known.headers.etag, etag);
    t.is((await ask(url, { 'if-none-match': '"other"' })).status, 200);
  }
});

test('One address has so many streams and no more', async (t) => {
  const app = await startApp(t, { maxConnectionsPerAddress: 2 });
  const [first] = await Promise.all([app.stream(), app.streamOf('alice')]);
  const url = `${app.origin}/realtime/sse/`;
  t.deepEqual(problemOf(await ask(url, { 'x-user': 'bob' })), { status: 429, ...PROBLEM });
  first.close();
  await until('room for the address', async () => (await ask(url)).status === 200);
});

test('A full instance says so, and when to come again', async (t) => {
  const app = await startApp(t, { maxConnections: 1 });
  const stream = await app.stream();
  const url = `${app.origin}/realtime/sse/`;
  const refused = await ask(url);
  t.deepEqual(problemOf(refused), { status: 503, ...PROBLEM });
  t.true(Number(refused.headers['retry-after']) > 0);
  stream.close();
  await until('room', async () => (await ask(url)).status === 200);
});

test('The limits hold for requests that are let in at the same moment', async (t) => {
  let waiting = 0;
  let refused = 0;
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = await startApp(t, {
    maxConnections: 6,
    maxConnectionsPerUser: 2,
    authenticate: async (request) => {
      waiting += 1;
      await gate;
      return request.headers.get('x-user');
    },
  });
  const url = `${app.origin}/realtime/sse/`;
  const early = { early: true };
  const alice = await Promise.all(Array.from({ length: 5 }, () => app.streamOf('alice', '', early)));
  const others = await Promise.all(Array.from({ length: 10 }, () => app.stream('', early)));
  const all = [...alice, ...others];
  await until('an answer to those that have no place', () => {
    refused = all.filter(({ status }) => status === 503).length;
    return refused === 9;
  });
  t.is(waiting, 6, 'nobody is asked about more requests than there are places');
  release();
  await Promise.all(all.map((stream) => stream.until('an answer', () => stream.status > 0)));
  await until('two of alice, at most', () => alice.filter(({ status, ended }) => status === 200 && !ended).length <= 2);
  t.is(all.filter(({ status }) => status === 503).length, 9);
  if (alice.filter(({ status }) => status === 200).length === 0) t.is((await ask(url)).status, 503);
});

test('Requests that are refused leave no trace in the limits', async (t) => {
  const app = await startApp(t, {
    maxConnections: 2,
    maxConnectionsPerAddress: 2,
    authenticate: (request) => {
      if (request.headers.get('x-user') === 'refused') throw new Error('no');
      return null;
    },
  });
  for (let i = 0; i < 5; i += 1) {
    t.is((await ask(`${app.origin}/realtime/sse/`, { 'x-user': 'refused' })).status, 401);
  }
  t.is((await app.stream()).status, 200);
  t.is((await app.stream()).status, 200);
});

test('A query that is too long, or asks for too many types, is refused', async (t) => {
  const app = await startApp(t);
  const url = `${app.origin}/realtime/sse/`;
  t.deepEqual(problemOf(await ask(`${url}?types=${'a'.repeat(9000)}`)), { status: 400, ...PROBLEM });
  t.is((await ask(`${url}?types=${'a,'.repeat(101)}`)).status, 400);
  t.is((await ask(`${url}?types=${'a,'.repeat(100)}&other=${'x'.repeat(2000)}`)).status, 200);
});

test('A request that makes no URL is refused, and no more', async (t) => {
  const app = await startApp(t);
  t.is((await ask(`${app.origin}/realtime/sse/`, { host: 'a b<' })).status, 400);
  t.is((await app.stream('?types=%')).status, 200);
});

test('healthz is 200 while events flow, 503 with the reason before and after', async (t) => {
  const app = await startApp(t);
  const fresh = createRealtime({ database: app.db.url });
  const server = await listen(t, fresh.handler);
  const before = await ask(`${server.origin}/realtime/healthz`);
  t.is(before.status, 503);
  t.deepEqual(JSON.parse(before.body).problems, ['not started']);

  const url = `${app.origin}/realtime/healthz`;
  const healthy = await ask(url);
  t.is(healthy.status, 200);
  t.like(JSON.parse(healthy.body), { status: 'ok', problems: [], warnings: [] });
  t.is(healthy.headers['cache-control'], 'no-store');
  t.is((await ask(url, {}, 'HEAD')).body, '');
  await app.realtime.stop();
  const stopped = await ask(url);
  t.is(stopped.status, 503);
  t.deepEqual(JSON.parse(stopped.body).problems, ['shutting down']);
});

test('While it shuts down, an instance takes no streams', async (t) => {
  const app = await startApp(t);
  await app.realtime.stop();
  const refused = await ask(`${app.origin}/realtime/sse/`);
  t.deepEqual(problemOf(refused), { status: 503, ...PROBLEM });
  t.true(Number(refused.headers['retry-after']) > 0);
});
