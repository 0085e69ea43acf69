import test from 'ava';
import { DjrError, type Publication } from '../../src/index.js';
import { startApp } from '../helpers/server.js';

/** What an app without TypeScript, or with an `any`, may hand over. */
const REFUSED: [what: string, publication: Record<string, unknown>, code: RegExp][] = [
  ['a user who is undefined', { userId: undefined }, /^DJR02$/],
  ['a user who is null', { userId: null }, /^DJR02$/],
  ['an empty user', { userId: '' }, /^DJR03$/],
  ['NaN', { userId: Number.NaN }, /^DJR03$/],
  ['Infinity', { userId: Number.POSITIVE_INFINITY }, /^DJR03$/],
  ['a number beyond 2^53', { userId: 2 ** 53 }, /^DJR03$/],
  ['a fraction', { userId: 1.5 }, /^DJR03$/],
  ['a boolean', { userId: true }, /^DJR03$/],
  ['an object', { userId: { id: 1 } }, /^DJR03$/],
  ['a text with NUL', { userId: 'a\0' }, /^DJR03$/],
  ['neither user nor scope', {}, /^DJR02$/],
  ['a scope that is null', { scope: null }, /^DJR02$/],
  ['a scope that is undefined', { scope: undefined }, /^DJR02$/],
  ['a scope that there is not', { scope: 'everyone' }, /^DJR02$/],
  ['a scope of every object', { scope: 'constructor' }, /^DJR02$/],
  ['scope user without a user', { scope: 'user' }, /^DJR02$/],
  ['scope user with a user who is undefined', { scope: 'user', userId: undefined }, /^DJR02$/],
  ['scope public with a user', { scope: 'public', userId: 7 }, /^DJR02$/],
  ['scope public with a user who is undefined', { scope: 'public', userId: undefined }, /^DJR02$/],
  ['scope public with a user who is null', { scope: 'public', userId: null }, /^DJR02$/],
  ['scope system with a user who is undefined', { scope: 'system', userId: undefined }, /^DJR02$/],
  ['scope system with a user who is NaN', { scope: 'system', userId: Number.NaN }, /^DJR03$/],
  ['an empty topic', { topic: '' }, /^DJR18$/],
  ['a topic that is no text', { topic: 7 }, /^DJR18$/],
  ['a topic with white space', { topic: 'room 7' }, /^DJR18$/],
  ['a topic with NUL', { topic: 'room:\0' }, /^DJR18$/],
  ['a topic with half a surrogate pair', { topic: 'room:\ud800' }, /^DJR18$/],
  ['a topic that is too long', { topic: 'x'.repeat(256) }, /^DJR18$/],
  ['a topic in scope public', { scope: 'public', topic: 'room:7' }, /^DJR02$/],
  ['scope topic without a topic', { scope: 'topic' }, /^DJR02$/],
  ['a key that is no text', { scope: 'public', key: Number.NaN }, /^DJR11$/],
  ['an empty key', { scope: 'public', key: '' }, /^DJR11$/],
  ['a key with NUL', { scope: 'public', key: 'a\0' }, /^DJR11$/],
  ['a key with half a surrogate pair', { scope: 'public', key: 'a\ud800' }, /^DJR11$/],
  ['a key that is too long', { scope: 'public', key: 'x'.repeat(256) }, /^DJR11$/],
];

test('An event whose user is missing, or no user, is an error and nothing is published', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  for (const [what, publication, code] of REFUSED) {
    const call = app.realtime.publish({ type: 'leak', ...publication } as unknown as Publication);
    const error = await t.throwsAsync(call, { instanceOf: DjrError }, what);
    t.regex(error.code, code, what);
    t.regex(error.message, /\((it|the scope|there) .+\)$/s, what);
    t.truthy(error.hint);
  }
  await app.realtime.publish({ scope: 'public', type: 'last' });
  await stream.event('last');
  t.deepEqual(await app.db.query('select type from djr.event'), [{ type: 'last' }]);
});

test('A user is published to as the number, the bigint or the text that he is', async (t) => {
  const app = await startApp(t);
  for (const userId of [42, 9007199254740993n, 'ü'] as const) await app.realtime.publish({ userId, type: 'x' });
  await app.realtime.publish({ scope: 'system', userId: 7, type: 'x' });
  await app.realtime.publish({ scope: 'system', type: 'x' });
  t.deepEqual(await app.db.query('select scope, user_id from djr.event order by id'), [
    { scope: 'user', user_id: '42' },
    { scope: 'user', user_id: '9007199254740993' },
    { scope: 'user', user_id: 'ü' },
    { scope: 'system', user_id: '7' },
    { scope: 'system', user_id: null },
  ]);
});

test('publish_public reaches everyone, and publish_global is its alias', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.db.query(`select djr.publish_public('one', '{"n": 1}', '{"p": 1}', 'k'), djr.publish_global('two')`);
  await stream.event('two');
  t.deepEqual(await app.db.query('select type, scope, user_id, key from djr.event order by id'), [
    { type: 'one', scope: 'public', user_id: null, key: 'k' },
    { type: 'two', scope: 'public', user_id: null, key: null },
  ]);
});

for (const hook of ['onReceive', 'beforeSend'] as const) {
  test(`An event whose scope or user ${hook} loses goes to nobody, is logged as an error and costs no other`, async (t) => {
    const losses: Record<string, object> = {
      no_user: { userId: undefined },
      null_user: { userId: null },
      nan_user: { userId: Number.NaN },
      number_user: { userId: 7 },
      empty_user: { userId: '' },
      nul_user: { userId: 'a\0' },
      no_scope: { scope: undefined },
      null_scope: { scope: null },
      no_scope_no_user: { scope: undefined, userId: undefined },
      public_with_user: { scope: 'public' },
      public_without: { scope: 'public', userId: undefined },
    };
    const app = await startApp(t, {
      [hook]: (event: { type: string }) => ({ ...event, ...losses[event.type] }),
    });
    const [own, anonymous] = [await app.streamOf('ada'), await app.stream()];
    for (const type of Object.keys(losses)) await app.realtime.publish({ userId: 'ada', type });
    await app.realtime.publish({ userId: 'ada', type: 'sound' });
    await app.realtime.publish({ scope: 'public', type: 'last' });
    await Promise.all([own.event('last'), anonymous.event('last')]);
    t.deepEqual(own.events.map(({ data }) => data.type).slice(-2), ['sound', 'last']);
    t.is(own.events.filter(({ data }) => String(data.type) in losses).length, 0);
    t.is(anonymous.events.filter(({ data }) => data.type !== 'last' && data.type !== 'connected').length, 0);
    const errors = app.lines.filter(({ level, message }) => level === 'error' && message.startsWith(hook));
    t.is(errors.length, Object.keys(losses).length);
  });
}
