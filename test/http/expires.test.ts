import test from 'ava';
import { SignJWT } from 'jose';
import { jwtLogin } from '../../src/cli/login/token-login.js';
import { startApp } from '../helpers/server.js';

test('A stream ends with its login, says so, and comes back with a new one without a gap', async (t) => {
  let ends = true;
  const { stream, db } = await startApp(t, {
    authenticate: () => ({ userId: 'u', expires: ends ? new Date(Date.now() + 1000) : undefined }),
  });
  const first = await stream();
  await first.until('the last frame', () => first.frames.at(-1)?.data.type === 'disconnected');
  t.deepEqual(first.frames.at(-1)!.data, { type: 'disconnected', reason: 'the login has expired' });
  await db.query(`select djr.publish('u', 'missed')`);
  ends = false;
  const back = await stream('', { lastEventId: first.lastEventId });
  await back.event('missed');
  t.deepEqual(back.types, ['missed']);
});

test('A login that has ended is refused, and so is an end that is no time', async (t) => {
  let expires: unknown;
  const app = await startApp(t, { authenticate: () => ({ userId: 'u', expires: expires as number }) });
  const statusFor = async (value: unknown) => {
    expires = value;
    return (await fetch(`${app.origin}/realtime/sse/?probe=1`)).status;
  };
  t.is(await statusFor(Date.now() - 1), 401);
  t.is(await statusFor(0), 401);
  t.is(await statusFor(undefined), 204);
  t.is(await statusFor(Number.POSITIVE_INFINITY), 204);
  // A hundred years: more than a timer can wait.
  t.is(await statusFor(Date.now() + 100 * 365 * 86_400_000), 204);
  for (const [value, was] of [
    [Number.NaN, 'is NaN'],
    [new Date('soon'), 'is an invalid Date'],
    ['2099-01-01', 'is of type string'],
    [true, 'is of type boolean'],
  ] as const) {
    t.is(await statusFor(value), 401);
    t.is(
      (app.lines.at(-1)!.context.err as Error).message,
      `expires must be a Date or milliseconds since 1970 (it ${was})`,
    );
  }
});

test('An anonymous client may have an end, too, and a login that the app hands over', async (t) => {
  const { stream } = await startApp(t, { authenticate: () => ({ userId: null, expires: Date.now() + 500 }) });
  const anonymous = await stream();
  await anonymous.until('the end', () => anonymous.frames.at(-1)?.data.type === 'disconnected');
  const { realtime } = await startApp(t);
  const response = await realtime.fetch(new Request('http://localhost/realtime/sse/?probe=1'), {
    userId: 'u',
    expires: Date.now() - 1,
  });
  t.is(response.status, 401);
});

test('A stream lives no longer than the token it was opened with', async (t) => {
  const secret = 'a secret that is long enough for HS256';
  const login = jwtLogin({ secret });
  const exp = Math.floor(Date.now() / 1000) + 60;
  const sign = (payload: object) =>
    new SignJWT({ ...payload }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
  const ask = async (payload: object) => login(new Request(`http://localhost/?token=${await sign(payload)}`));
  t.deepEqual(await ask({ sub: 'u', exp }), { userId: 'u', expires: (exp + 5) * 1000 });
  t.is(await ask({ sub: 'u' }), 'u');
});

test('disconnect and recheck want a user, and a topic, that there can be', async (t) => {
  const { realtime } = await startApp(t);
  await t.throwsAsync(realtime.disconnect(undefined as never), { code: 'DJR02' });
  await t.throwsAsync(realtime.disconnect(''), { code: 'DJR03' });
  await t.throwsAsync(realtime.recheck(1.5), { code: 'DJR03' });
  await t.throwsAsync(realtime.recheck(null, ''), { code: 'DJR18' });
  await t.notThrowsAsync(realtime.recheck());
});
