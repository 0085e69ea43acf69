import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { roleOf } from '../helpers/role.js';
import { refusal } from '../helpers/sql.js';

const RECORD = `select djr.record_relay_mark($1, 'g1', $2, 'epoch001', '10:20:11', '2026-01-01')`;

const sequences = async (db: TestDatabase, namespace: string) =>
  (
    await db.query<{ sequence: number }>(
      'select sequence::int from djr.relay_mark where namespace = $1 order by id desc',
      [namespace],
    )
  ).map(({ sequence }) => sequence);

test('Of the marks of each relay the newest hour stays', async (t) => {
  const db = await createDatabase(t);
  await db.query(RECORD, ['other', 1]);
  await db.query(
    `select djr.record_relay_mark('one', 'g1', n, 'epoch001', '10:20:11', '2026-01-01') from generate_series(1, 400) n`,
  );
  const kept = await sequences(db, 'one');
  t.is(kept[0], 400);
  t.true(kept.length >= 360 && kept.length <= 361, String(kept.length));
  t.deepEqual(await sequences(db, 'other'), [1]);
});

test('A mark has a sequence that is not negative', async (t) => {
  const db = await createDatabase(t);
  t.is((await refusal(db, RECORD, ['one', -1])).constraint, 'relay_mark_sequence');
});

test("The runtime's role records and reads marks, and changes none", async (t) => {
  const db = await createDatabase(t);
  const server = await roleOf(t, db, ['grant_server']);
  await server.query(RECORD, ['one', 7]);
  t.deepEqual(await server.query('select generation, sequence::int from djr.relay_mark'), [
    { generation: 'g1', sequence: 7 },
  ]);
  await t.throwsAsync(server.query('delete from djr.relay_mark'), { code: '42501' });
});
