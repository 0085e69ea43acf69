import { gzipSync } from 'node:zlib';
import test from 'ava';
import { listen, startApp } from '../helpers/server.js';

/** What authenticate throws, and the status of the answer. */
const THROWN: [string, () => never, number][] = [
  [
    'an error of its own',
    () => {
      throw new Error('the token has expired');
    },
    401,
  ],
  [
    'an error of a token library',
    () => {
      throw Object.assign(new Error('expired'), { code: 'ERR_JWT_EXPIRED' });
    },
    401,
  ],
  [
    'a value that PostgreSQL cannot read',
    () => {
      throw Object.assign(new Error('no uuid'), { code: '22P02' });
    },
    401,
  ],
  [
    'no error at all',
    () => {
      throw 'go away';
    },
    401,
  ],
  [
    'a mistake in code',
    () => {
      throw new TypeError("Cannot read properties of undefined (reading 'id')");
    },
    503,
  ],
  [
    'a name that is not there',
    () => {
      throw new ReferenceError('sesion is not defined');
    },
    503,
  ],
  [
    'a database that is away',
    () => {
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    },
    503,
  ],
  [
    'a table that is not there',
    () => {
      throw Object.assign(new Error('no table'), { code: '42P01' });
    },
    503,
  ],
  [
    'a time-out of fetch',
    () => {
      throw new DOMException('too late', 'TimeoutError');
    },
    503,
  ],
  [
    'a key set that cannot be had',
    () => {
      throw Object.assign(new Error('late'), { code: 'ERR_JWKS_TIMEOUT' });
    },
    503,
  ],
];

for (const [what, fail, status] of THROWN) {
  test(`authenticate that throws ${what} is a ${status}, logged as an error, once`, async (t) => {
    for (const later of [false, true]) {
      const app = await startApp(t, { authenticate: later ? async () => fail() : fail });
      for (let n = 0; n < 3; n += 1) {
        const answer = await fetch(`${app.origin}/realtime/sse/`);
        t.is(answer.status, status);
        t.is(answer.headers.has('retry-after'), status === 503);
        t.notRegex(await answer.text(), /expired|reading|sesion/);
      }
      const said = app.lines.filter(({ message }) => message.startsWith('authenticate '));
      t.deepEqual(
        said.map(({ level }) => level),
        ['error', 'debug', 'debug'],
      );
    }
  });
}

for (const [way, answerWith] of [
  ['throws', (response: Response) => Promise.reject(response)],
  ['returns', (response: Response) => Promise.resolve(response)],
] as const) {
  test(`one Response that authenticate ${way} for every request is the answer to each`, async (t) => {
    const refused = new Response('log in', { status: 403 });
    const app = await startApp(t, { authenticate: () => answerWith(refused) });
    for (let n = 0; n < 3; n += 1) {
      const answer = await fetch(`${app.origin}/realtime/sse/`);
      t.is(answer.status, 403);
      t.is(await answer.text(), 'log in');
    }
  });

  test(`a Response that authenticate ${way} refuses with its status, even if its body was read or does not come`, async (t) => {
    const read = new Response('log in', { status: 403 });
    await read.text();
    for (const response of [read, new Response(new ReadableStream(), { status: 403 })]) {
      const app = await startApp(t, { authenticate: () => answerWith(response), hookTimeout: 100 });
      const answer = await fetch(`${app.origin}/realtime/sse/`);
      t.is(answer.status, 403);
      t.is(await answer.text(), '');
      t.regex(await app.realtime.metrics(), /^djr_places 0$/m);
    }
  });
}

test('a Response that cannot be sent is an answer all the same, by either handler', async (t) => {
  for (const [answer, stream, metrics] of [
    [Response.error(), 500, 500],
    [new Response(null, { status: 205 }), 401, 205],
  ] as const) {
    const app = await startApp(t, { authenticate: () => answer, metrics: { authorize: () => answer } });
    for (const [path, status] of [
      ['sse/', stream],
      ['metrics', metrics],
    ] as const) {
      t.is((await fetch(`${app.origin}/realtime/${path}`)).status, status);
      t.is((await app.realtime.fetch(new Request(`http://localhost/realtime/${path}`))).status, status);
    }
  }
});

test('a Response that authenticate has from another server can be read, though it was compressed there', async (t) => {
  const login = await listen(t, (_req, res) => {
    res.writeHead(401, { 'Content-Encoding': 'gzip' });
    res.end(gzipSync('log in'));
  });
  const app = await startApp(t, { authenticate: () => fetch(login.origin) });
  const answer = await fetch(`${app.origin}/realtime/sse/`);
  t.is(answer.status, 401);
  t.is(await answer.text(), 'log in');
});

test('a Response that authenticate throws is the answer, with its cookies, and no error', async (t) => {
  const app = await startApp(t, {
    authenticate: () => {
      const headers = new Headers({ 'content-type': 'text/plain' });
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      throw new Response('log in', { status: 401, headers });
    },
  });
  const answer = await fetch(`${app.origin}/realtime/sse/`);
  t.is(answer.status, 401);
  t.is(await answer.text(), 'log in');
  t.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
  t.is(answer.headers.get('cache-control'), 'private, no-store');
  t.deepEqual(
    app.lines.filter(({ level }) => level === 'error'),
    [],
  );
});
