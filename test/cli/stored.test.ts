import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { djr } from './helpers.js';

test('replay sends events again, each as a new one that names the first', async (t) => {
  const { url, query } = await createDatabase(t);
  const env = { DATABASE_URL: url };
  const [first] = await query<{ id: string }>("select djr.publish_global('a', '{}') as id");
  const [second] = await query<{ id: string }>("select djr.publish(42, 'b', '{}') as id");
  const { code, out } = await djr(t, ['replay', first!.id, second!.id], { env });
  t.is(code, 0);
  const ids = out.trim().split('\n');
  const rows = await query('select id, replay_of, type from djr.event where id = any($1::bigint[]) order by id', [ids]);
  t.deepEqual(rows, [
    { id: ids[0], replay_of: first!.id, type: 'a' },
    { id: ids[1], replay_of: second!.id, type: 'b' },
  ]);
});

test('replay of an event that is not there ends with 1, names it, and sends nothing', async (t) => {
  const { url, query } = await createDatabase(t);
  const [first] = await query<{ id: string }>("select djr.publish_global('a', '{}') as id");
  const { code, err } = await djr(t, ['replay', first!.id, '999'], { env: { DATABASE_URL: url } });
  t.is(code, 1);
  t.regex(err, /999/);
  t.deepEqual(await query('select count(*)::int as n from djr.event'), [{ n: 1 }]);
  t.is((await djr(t, ['replay', 'abc'], { env: { DATABASE_URL: url } })).code, 2);
});

test('prune deletes what is older, in batches, and prints how many; without any retention it ends with 2', async (t) => {
  const { url, query } = await createDatabase(t);
  const env = { DATABASE_URL: url };
  await query(`insert into djr.event (scope, type, created_at)
    select 'public', 't', now() - interval '2 days' from generate_series(1, 25)`);
  await query("select djr.publish_global('young', '{}')");

  const without = await djr(t, ['prune'], { env });
  t.is(without.code, 2);
  t.regex(without.err, /No retention is set/);
  t.regex((await djr(t, ['prune', '--older-than', 'soon'], { env })).err, /is no interval/);

  t.deepEqual(await djr(t, ['prune', '--older-than', '1 day', '--batch', '10'], { env }), {
    code: 0,
    out: '25\n',
    err: '',
  });
  t.deepEqual(await query('select type from djr.event'), [{ type: 'young' }]);
  await query("select djr.configure(retention => '1 day')");
  t.is((await djr(t, ['prune'], { env })).out, '0\n');
});
