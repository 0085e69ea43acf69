import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { djr } from './helpers.js';

test('consumers prints each with lag, age and filters, and which must be reset', async (t) => {
  const db = await createDatabase(t);
  t.regex((await djr(t, ['consumers', '-d', db.url])).out, /^no consumer; to make one/);
  await db.query(`select djr.create_consumer('billing', types => array['paid']), djr.create_consumer(E'm\\u200e')`);
  await db.query(`select djr.publish_public('paid'), djr.publish_public('other')`);
  await db.query(`update djr.event set created_at = now() - interval '90 s'`);
  await db.query('delete from djr.event where id = 2');
  const { code, out, err } = await djr(t, ['consumers', '-d', db.url]);
  t.is(err, '');
  t.is(code, 0);
  t.regex(out, /^CONSUMER +LAG +AGE S +TYPES +TOPICS +MOVED$/m);
  t.regex(out, /^billing +1 +\d+\.\d +paid +all +\d{4}-/m);
  t.regex(out, /^m\S* +1 .* overtaken$/m);
  t.regex(out, /^m\S* must be reset: events were deleted before it had them$/m);
  t.false(out.includes('\u200e'));
  const lines = (await djr(t, ['consumers', '--json', '-d', db.url])).out.trim().split('\n');
  t.like(JSON.parse(lines[0]!), { name: 'billing', lag: 1, types: ['paid'], topics: null, overtaken: null });
});

test('doctor fails for a consumer that was overtaken, and warns of one that is far behind', async (t) => {
  const db = await createDatabase(t);
  const look = async () => {
    const { out } = await djr(t, ['doctor', '--json', '-d', db.url]);
    const findings = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    return findings.find(({ check }) => check === 'consumers')!;
  };
  await db.query(`select djr.create_consumer('billing'), djr.publish_public('paid')`);
  t.is((await look()).state, 'ok');
  await db.query(`update djr.event set created_at = now() - interval '5 hours'`);
  t.like(await look(), { state: 'warning', found: 'far behind: billing (1 events, 5 h)' });
  await db.query('delete from djr.event');
  const { state, todo } = await look();
  t.is(state, 'failed');
  t.regex(todo!, /select djr\.reset_consumer\('billing', …\)/);
});
