import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { djr } from './helpers.js';

const states = (out: string): Record<string, string> =>
  Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string; state: string })
      .map(({ check, state }) => [check, state]),
  );

test('doctor finds a good database good, and says what could hurt later', async (t) => {
  const { url } = await createDatabase(t);
  const { code, out } = await djr(t, ['doctor', '--json', '-d', url]);
  t.is(code, 0);
  t.deepEqual(states(out), {
    version: 'ok',
    schema: 'ok',
    rights: 'ok',
    LISTEN: 'ok',
    'NOTIFY queue': 'ok',
    indexes: 'ok',
    retention: 'warning',
    clock: 'ok',
    connections: 'ok',
  });
});

test('doctor ends with 1 where something failed, and names the one thing to do', async (t) => {
  const { url, query } = await createDatabase(t);
  const role = `low_${Date.now()}`;
  await query(`create role ${role} login password 'low'`);
  t.teardown(() => query(`drop role ${role}`).catch(() => {}));
  const low = new URL(url);
  low.username = role;
  low.password = 'low';
  const { code, out } = await djr(t, ['doctor', '-d', low.href]);
  t.is(code, 1);
  t.regex(out, /failed {2}/);

  const empty = await createDatabase(t, { template: null });
  const missing = await djr(t, ['doctor', '-d', empty.url]);
  t.is(missing.code, 1);
  t.regex(missing.out, /failed {2}schema +This database has no schema djr\.\n +Run `djr migrate` first\./);
});
