import { mock } from 'node:test';
import test from 'ava';
import { type Identity, identify } from '../../src/http/guards/authenticate.js';
import { ask } from '../../src/http/guards/guard.js';
import { Logins } from '../../src/http/guards/logins.js';
import type { Incoming } from '../../src/http/incoming.js';
import type { Reply } from '../../src/http/reply.js';
import { SparseLog } from '../../src/lib/sparse-log.js';
import { openClient } from '../clients/open-client.js';
import { stayAlive } from '../helpers/alive.js';
import { recordingLogger } from '../helpers/server.js';

const incoming = (more: Partial<Incoming> = {}) =>
  ({
    request: () => new Request('http://localhost/'),
    login: undefined,
    context: {},
    ...more,
  }) as Incoming;

/** Who sends a request where `authenticate` does this, and what was logged. */
async function identified(authenticate: unknown, more: Partial<Incoming> = {}) {
  const { logger, lines } = recordingLogger();
  const options = { authenticate, hookTimeout: 20 } as Parameters<typeof identify>[1];
  const answer = await identify(incoming(more), options, new SparseLog(logger));
  const { status, headers, body } = answer as Reply;
  return { answer: answer as Identity & Reply, status, headers, body: `${body ?? ''}`, lines };
}

const NEVER = Number.POSITIVE_INFINITY;

test('Whoever authenticate names is the user: by an id alone or with an end, at once or later; nobody is anonymous', async (t) => {
  const soon = Date.now() + 60_000;
  for (const [answer, expected] of [
    ['ada', { userId: 'ada', expires: NEVER }],
    [7, { userId: '7', expires: NEVER }],
    [null, { userId: null, expires: NEVER }],
    [undefined, { userId: null, expires: NEVER }],
    [{ userId: 'ada' }, { userId: 'ada', expires: NEVER }],
    [
      { userId: 7n, expires: null },
      { userId: '7', expires: NEVER },
    ],
    [
      { userId: null, expires: soon },
      { userId: null, expires: soon },
    ],
    [
      { userId: undefined, expires: soon },
      { userId: null, expires: soon },
    ],
    [
      { userId: 'ada', expires: new Date(soon) },
      { userId: 'ada', expires: soon },
    ],
    [
      { userId: 'ada', expires: NEVER },
      { userId: 'ada', expires: NEVER },
    ],
  ] as const) {
    t.deepEqual((await identified(() => answer)).answer, expected as never);
    t.deepEqual((await identified(async () => answer)).answer, expected as never);
  }
  t.deepEqual((await identified(undefined)).answer, { userId: null, expires: NEVER } as never);
});

test('The login that the app passes goes before authenticate, which is given the request and its context', async (t) => {
  const asked: unknown[] = [];
  const authenticate = (...values: unknown[]) => {
    asked.push(...values);
    return 'bob';
  };
  const handed = await identified(authenticate, { login: { userId: 'ada' } });
  t.deepEqual(handed.answer, { userId: 'ada', expires: NEVER } as never);
  t.deepEqual(asked, []);
  const request = new Request('http://localhost/');
  const context = { req: undefined };
  await identified(authenticate, { request: () => request, context });
  t.deepEqual(asked, [request, context]);
  t.deepEqual((await identified(undefined, { login: { userId: 'ada' } })).answer.userId, 'ada');
});

test('A request that makes no URL is refused where somebody must be asked', async (t) => {
  const request = () => {
    throw new TypeError('Invalid URL');
  };
  t.is((await identified(() => 'ada', { request })).status, 400);
  t.is((await identified(undefined, { request })).answer.userId, null);
});

test('A login that has ended, or is no login, is refused, and what it was is logged', async (t) => {
  const past = Date.now() - 1;
  for (const expires of [past, new Date(past), Number.NEGATIVE_INFINITY, 0]) {
    const { status, body, lines } = await identified(() => ({ userId: 'ada', expires }));
    t.is(status, 401);
    t.regex(body, /The login has expired/);
    t.deepEqual(lines, []);
  }
  for (const [answer, said] of [
    [{}, /authenticate's user must be/],
    ['', /authenticate's user must be/],
    [true, /authenticate's user must be/],
    [{ userId: 'ada', expires: 'tomorrow' }, /\(it is of type string\)/],
    [{ userId: 'ada', expires: Number.NaN }, /\(it is NaN\)/],
    [{ userId: 'ada', expires: new Date(Number.NaN) }, /\(it is an invalid Date\)/],
  ] as const) {
    const { status, body, lines } = await identified(() => answer);
    t.is(status, 401);
    t.regex(body, /did not say who/);
    t.is(lines.length, 1);
    t.is(lines[0]!.level, 'error');
    const { err } = lines[0]!.context as { err: Error & { code: string } };
    t.regex(err.message, said);
    t.is(err.code, /user/.test(err.message) ? 'DJR03' : 'DJR_CONFIG');
  }
});

const thrown = (error: unknown) => () => {
  throw error;
};
const coded = (code: unknown) => Object.assign(new Error('it failed'), { code });

test('An error that says nothing of the client is to be tried again; any other refuses it', async (t) => {
  for (const [error, expected] of [
    [new Error('no such token'), 401],
    ['no', 401],
    [coded('22P02'), 401],
    [coded('23505'), 401],
    [coded('ERR_JWT_EXPIRED'), 401],
    [coded('E1'), 401],
    [coded('x42P01'), 401],
    [coded('42P01x'), 401],
    [coded('ECONNREFUSED x'), 401],
    [coded('xECONNREFUSED'), 401],
    [coded(42601), 401],
    [coded('42P01'), 503],
    [coded('08006'), 503],
    [coded('ECONNREFUSED'), 503],
    [coded('E2BIG'), 503],
    [coded('EIO'), 503],
    [coded('ERR_JWKS_TIMEOUT'), 503],
    [new TypeError('fetch failed'), 503],
    [new ReferenceError('x'), 503],
    [new RangeError('x'), 503],
    [new SyntaxError('x'), 503],
    [new AggregateError([]), 503],
    [new DOMException('x', 'AbortError'), 503],
    [new DOMException('x', 'TimeoutError'), 503],
  ] as const) {
    for (const fail of [thrown(error), () => Promise.reject(error)]) {
      const { status, headers, body, lines } = await identified(fail);
      t.is(status, expected, String(error));
      t.is(headers['Retry-After'], expected === 503 ? '5' : undefined);
      t.is(/The login cannot be checked/.test(body), expected === 503);
      t.deepEqual(
        lines.map(({ level, context }) => [level, context]),
        [['error', { err: error }]],
      );
    }
  }
});

test('An authenticate that does not answer in time is to be tried again', async (t) => {
  stayAlive(t);
  const { status, headers, lines } = await identified(() => new Promise(() => {}));
  t.is(status, 503);
  t.is(headers['Retry-After'], '2');
  t.is(lines[0]!.level, 'warn');
  t.true(lines[0]!.context.err instanceof Error);
});

test('A Response is the refusal, returned or thrown; one of success is a 401', async (t) => {
  for (const [response, expected] of [
    [() => new Response('log in', { status: 418, headers: { 'x-why': 'teapot' } }), 418],
    [() => new Response('log in', { headers: { 'x-why': 'teapot' } }), 401],
  ] as const) {
    for (const answer of [
      response,
      async () => response(),
      () => thrown(response())(),
      async () => thrown(response())(),
    ]) {
      const { status, headers, body, lines } = await identified(answer);
      t.is(status, expected);
      t.is(headers['x-why'], 'teapot');
      t.is(body, 'log in');
      t.deepEqual(lines, []);
    }
  }
});

test('Only true lets a request in; a Response is the answer; what fails is logged', async (t) => {
  stayAlive(t);
  const asked = async (authorize: unknown, request?: () => Request) => {
    const { logger, lines } = recordingLogger();
    const options = { authorize, name: 'authorizeAdmin', hookTimeout: 20, logger } as Parameters<typeof ask>[1];
    return { answer: await ask(incoming(request && { request }), options), lines };
  };
  for (const answer of [true, false, 1, 'true', undefined, {}]) {
    t.is((await asked(() => answer)).answer, answer === true);
    t.is((await asked(async () => answer)).answer, answer === true);
  }
  for (const fail of [
    thrown(new Error('broken')),
    async () => thrown(new Error('broken'))(),
    () => new Promise(() => {}),
  ]) {
    const { answer, lines } = await asked(fail);
    t.is(answer, false);
    t.is(lines.length, 1);
    t.regex(lines[0]!.message, /^authorizeAdmin failed/);
    t.true(lines[0]!.context.err instanceof Error);
  }
  for (const refuse of [() => new Response('no', { status: 402 }), thrown(new Response('no', { status: 402 }))]) {
    const { answer, lines } = await asked(refuse);
    t.is((answer as Reply).status, 402);
    t.is(`${(answer as Reply).body}`, 'no');
    t.deepEqual(lines, []);
  }
  const { answer } = await asked(() => true, thrown(new TypeError('Invalid URL')) as () => Request);
  t.is(answer, 'unreadable');
});

test.serial('A login that ends closes its stream then, however far that is; one that is forgotten does not', (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  t.teardown(() => mock.timers.reset());
  const logins = new Logins();
  const texts: string[] = [];
  const watched = (end: number) => {
    const opened = openClient();
    opened.connection.write = (chunk) => Boolean(texts.push(`${chunk}`));
    logins.watch(opened.client, end);
    return opened;
  };
  const [soon, past, never, forgotten] = [1000, -1, NEVER, 1000].map((after) => watched(1_000_000 + after));
  logins.forget(forgotten!.client);
  mock.timers.tick(1);
  t.deepEqual(past!.closed, ['lifetime']);
  mock.timers.tick(998);
  t.deepEqual(soon!.closed, []);
  mock.timers.tick(1);
  t.deepEqual(soon!.closed, ['lifetime']);
  t.regex(texts.at(-1)!, /the login has expired/);
  const far = watched(Date.now() + 2 ** 31 + 5);
  mock.timers.tick(2 ** 31 - 1);
  t.deepEqual(far.closed, []);
  mock.timers.tick(6);
  t.deepEqual(far.closed, ['lifetime']);
  t.deepEqual([never!.closed, forgotten!.closed], [[], []]);
});

test.serial(
  'A login that ends needs one timer, no longer than a timer can be; one that never does, or of a client that is gone, none',
  (t) => {
    const now = mock.method(Date, 'now', () => 1_000_000);
    const waits: number[] = [];
    const timer = { unref: () => timer };
    const set = mock.method(globalThis, 'setTimeout', (_: () => void, wait: number) => {
      waits.push(wait);
      return timer;
    });
    t.teardown(() => {
      for (const one of [now, set]) one.mock.restore();
    });
    const logins = new Logins();
    const gone = openClient().client;
    gone.close('client');
    waits.length = 0;
    logins.watch(gone, 1_060_000);
    logins.watch(openClient().client, NEVER);
    t.deepEqual(waits, []);
    for (const after of [60_000, 1, 0, -5, 2 ** 31 - 1, 2 ** 31, 2 ** 40]) {
      logins.watch(openClient().client, 1_000_000 + after);
    }
    t.deepEqual(waits, [60_000, 1, 1, 1, 2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1]);
  },
);

test('A login that lasts keeps no process alive, and a client that is gone needs no timer', (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const logins = new Logins();
  const { client } = openClient();
  logins.watch(client, Date.now() + 60_000);
  t.is(timers(), before);
  client.close('client');
  logins.forget(client);
});
