import test from 'ava';
import { SignJWT } from 'jose';
import { Acknowledger } from '../../src/activity/acknowledger.js';
import { ActivityCounter } from '../../src/activity/counter.js';
import { recordActivity } from '../../src/activity/recorder.js';
import { ActivityWriter } from '../../src/activity/writer.js';
import { jwtLogin, sessionLogin } from '../../src/cli/login/token-login.js';
import { createDatabase } from '../helpers/database.js';
import { recordingLogger, startApp, until } from '../helpers/server.js';

const NOBODY: [what: string, user: unknown][] = [
  ['an empty text', ''],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-0', -0],
  ['a fraction', 1.5],
  ['a number beyond 2^53', 9007199254740992],
  ['a boolean', false],
  ['an array', ['ada']],
  ['an object', {}],
  ['a text with NUL', 'a\0'],
  ['half a surrogate pair', '\ud800'],
  ['256 characters', 'x'.repeat(256)],
];

test('An authenticate that returns what no user can have as id refuses the request, and is logged as an error', async (t) => {
  let user: unknown;
  const app = await startApp(t, { authenticate: () => user as string });
  for (const [what, value] of NOBODY) {
    user = value;
    const before = app.lines.filter(({ level }) => level === 'error').length;
    t.is((await app.stream()).status, 401, what);
    const ack = await fetch(`${app.origin}/realtime/ack/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id": 1, "status": "read"}',
    });
    t.is(ack.status, 401, what);
    t.is(app.lines.filter(({ level }) => level === 'error').length, before + 2, what);
  }
  for (user of [null, undefined, 0, 42, 42n, 9007199254740993n, 'x'.repeat(255)])
    t.is((await app.stream()).status, 200);
});

test('Two users beyond 2^53 are two users', async (t) => {
  const app = await startApp(t, { authenticate: (request) => BigInt(request.headers.get('x-user')!) });
  const [one, two] = [await app.streamOf('9007199254740992'), await app.streamOf('9007199254740993')];
  await app.realtime.publish({ userId: 9007199254740993n, type: 'secret' });
  await app.realtime.publish({ scope: 'public', type: 'last' });
  await Promise.all([one.event('last'), two.event('last')]);
  t.deepEqual([one.types, two.types], [['last'], ['secret', 'last']]);
});

const SECRET = 'a secret of thirty-two bytes or so';

/** A token with this very payload, which no library would write. */
async function tokenOf(payload: string): Promise<string> {
  const [header] = (await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET))).split('.');
  const signed = `${header}.${Buffer.from(payload).toString('base64url')}`;
  const key = await crypto.subtle.importKey('raw', Buffer.from(SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  const signature = await crypto.subtle.sign('HMAC', key, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

for (const [payload, user] of [
  ['{"sub": "ada"}', 'ada'],
  ['{"sub": 42}', '42'],
  ['{"sub": 0}', '0'],
  ['{"sub":9007199254740991}', '9007199254740991'],
  ['{"act": {"sub": 1.5}, "sub": 7, "list": [{"sub": 8}]}', '7'],
  ['{"text": "\\"sub\\": 9,", "s\\u0075b": 7}', '7'],
  ['{"sub": 9007199254740993}', 401],
  ['{"sub": 9007199254740992}', 401],
  ['{"sub": 9007199254740990.6}', 401],
  ['{"sub": 1.0000000000000000001}', 401],
  ['{"sub": 1.0}', 401],
  ['{"sub": 1e3}', 401],
  ['{"sub": 1e999}', 401],
  ['{"sub": 1.5}', 401],
  ['{"sub": -0}', 401],
  ['{"sub": ""}', 401],
  ['{"sub": null}', 401],
  ['{"sub": true}', 401],
  ['{"sub": ["ada"]}', 401],
  ['{"sub": {"id": 1}}', 401],
  ['{"sub": "a\\u0000"}', 401],
  ['{"sub": "\\ud800"}', 401],
  ['{}', 401],
] as const) {
  test(`The token ${payload} is ${user === 401 ? 'refused' : `user ${user}`}`, async (t) => {
    const login = jwtLogin({ secret: SECRET });
    const token = await tokenOf(payload);
    const answer = await login(new Request('http://x/', { headers: { authorization: `Bearer ${token}` } }));
    t.is(answer instanceof Response ? answer.status : answer, user);
  });
}

test('A session query gives a user, nobody, or what no user has, which is refused as a fault', async (t) => {
  const db = await createDatabase(t);
  const ask = async (expression: string) => {
    const faults: boolean[] = [];
    const login = sessionLogin({
      pool: db.pool,
      sql: `select ${expression} where $1::text is not null`,
      cookie: 'sid',
      onRefused: (_, fault) => faults.push(fault),
    });
    const answer = await login(new Request('http://x/', { headers: { cookie: 'sid=1' } }));
    return answer instanceof Response ? [answer.status, ...faults] : answer;
  };
  for (const [expression, user] of [
    ['9007199254740993::bigint', '9007199254740993'],
    ['42::int', '42'],
    ['42::numeric', '42'],
    ['90071992547409930000::numeric', '90071992547409930000'],
    ["'ada'::text", 'ada'],
    ["'ada'::name", 'ada'],
    ["'00000000-0000-0000-0000-000000000001'::uuid", '00000000-0000-0000-0000-000000000001'],
    ['null::text', null],
    ['42::float8', '42'],
  ] as const) {
    t.is(await ask(expression), user, expression);
  }
  for (const expression of [
    "''::text",
    "'NaN'::numeric",
    "'NaN'::float8",
    "'Infinity'::float8",
    "'-0'::float8",
    '1.5::float8',
    '9007199254740993::float8',
    '1.0::numeric',
    'true',
    "'{}'::jsonb",
    "'{}'::json",
    'now()',
    "repeat('x', 256)",
  ]) {
    t.deepEqual(await ask(expression), [401, true], expression);
  }
});

test('An acknowledgement that the database cannot take costs no other user theirs', async (t) => {
  const db = await createDatabase(t);
  const ids: number[] = [];
  for (const user of ['ada', 'bob', 'cyd']) {
    ids.push(Number((await db.query('select djr.publish($1::text, $2) as id', [user, 't']))[0]!.id));
  }
  const acknowledger = new Acknowledger(db.pool, 'i');
  const acknowledge = (userId: string, id: number) =>
    acknowledger.acknowledge([{ userId, id, status: 'read' }]).then(
      ([own]) => own,
      () => 'failed',
    );
  const first = acknowledge('nobody', 1);
  const answers = await Promise.all([
    acknowledge('ada', ids[0]!),
    acknowledge('a\0', ids[0]!),
    acknowledge('bob', ids[1]!),
    acknowledge('cyd', ids[2]!),
  ]);
  t.is(await first, false);
  t.deepEqual(answers, [true, 'failed', true, true]);
  t.deepEqual(await db.query('select user_id from djr.activity order by 1'), [
    { user_id: 'ada' },
    { user_id: 'bob' },
    { user_id: 'cyd' },
  ]);
});

test('A step of activity that the database cannot take costs no other', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish_public('t'), djr.publish_public('t'), djr.publish_public('t')`);
  const counter = new ActivityCounter(100);
  counter.level = 'full';
  const { logger, lines } = recordingLogger();
  const activity = new ActivityWriter({
    logger,
    counter,
    source: { record: (steps) => recordActivity(db.pool, 'i', steps) },
  });
  const envelope = (id: number) => ({ id, xid: 1, userId: null }) as Parameters<ActivityCounter['sent']>[0];
  for (const [id, user] of [
    [1, 'ada'],
    [2, 'a\0'],
    [3, 'bob'],
  ] as const) {
    counter.sent(envelope(id), user, 1);
  }
  activity.start();
  await until('two of them', () => activity.rows === 2);
  await activity.stop();
  t.is(activity.dropped, 1);
  t.is(lines.filter(({ level }) => level === 'warn').length, 1);
  t.deepEqual(await db.query('select user_id from djr.activity order by 1'), [{ user_id: 'ada' }, { user_id: 'bob' }]);
});
