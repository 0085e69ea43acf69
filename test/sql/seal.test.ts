import { createHmac } from 'node:crypto';
import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { roleOf } from '../helpers/role.js';
import { refusal } from '../helpers/sql.js';

const seal = async (db: TestDatabase, call: string): Promise<string> =>
  (await db.query<{ seal: string }>(`select ${call} as seal`))[0]!.seal;

const contentOf = (text: string) =>
  JSON.parse(Buffer.from(text.split('.')[2]!, 'base64url').toString()) as [string, string | null, number];

/** What HMAC-SHA256 says, by another implementation: the key is read back from its padded form. */
async function signature(db: TestDatabase, text: string): Promise<string> {
  const [, id] = text.split('.');
  const [row] = await db.query<{ inner_key: Buffer }>('select inner_key from djr.seal_key where id = $1', [id]);
  const key = row!.inner_key.map((byte) => byte ^ 0x36);
  return createHmac('sha256', key)
    .update(text.slice(0, text.lastIndexOf('.')))
    .digest('base64url');
}

test('A seal names topic, user and its end, and is signed with HMAC-SHA256', async (t) => {
  const db = await createDatabase(t);
  const before = Date.now() / 1000;
  for (const call of [`djr.seal('room:7', 'ünï"')`, `djr.seal('room:7', 42)`, `djr.seal('room:7')`]) {
    const text = await seal(db, call);
    t.regex(text, /^djr1\.[0-9a-f]{8}\.[\w-]+\.[\w-]{43}$/);
    t.is(text.split('.')[3], await signature(db, text));
    const [topic, , ends] = contentOf(text);
    t.is(topic, 'room:7');
    t.true(ends >= before + 3599 && ends <= Date.now() / 1000 + 3601);
  }
  t.is(contentOf(await seal(db, `djr.seal('room:7', 'ünï"')`))[1], 'ünï"');
  t.is(contentOf(await seal(db, `djr.seal('room:7', 42)`))[1], '42');
  t.is(contentOf(await seal(db, `djr.seal('room:7')`))[1], null);
  const id = '9b2f6a34-92c3-4b43-bb64-9a47c5a7b1d0';
  t.is(contentOf(await seal(db, `djr.seal('room:7', '${id}'::uuid)`))[1], id);
});

test('One seal may be for several topics, a hundred at most', async (t) => {
  const db = await createDatabase(t);
  const users = [
    `'u'`,
    '42::smallint',
    '42',
    '42::bigint',
    '42::numeric',
    `'9b2f6a34-92c3-4b43-bb64-9a47c5a7b1d0'::uuid`,
  ];
  for (const user of users) {
    const text = await seal(db, `djr.seal(array['room:7', 'room:8'], ${user})`);
    t.is(text.split('.')[3], await signature(db, text));
    t.deepEqual(contentOf(text)[0] as unknown, ['room:7', 'room:8']);
    t.is(contentOf(text)[1], (await db.query<{ user: string }>(`select (${user})::text as user`))[0]!.user);
  }
  t.deepEqual(contentOf(await seal(db, `djr.seal(array['room:7', 'room:8'])`))[1], null);
  t.is(contentOf(await seal(db, `djr.seal(array['room:7'], 42, '1 minute')`))[0], 'room:7');
  const rooms = (count: number) => `(select array_agg('room:' || n) from generate_series(1, ${count}) n)`;
  t.is((contentOf(await seal(db, `djr.seal(${rooms(100)}, 42)`))[0] as unknown as string[]).length, 100);
  for (const topics of [rooms(101), `array['r', null]`, `array['r', 'a b']`, `array['']`]) {
    t.is((await refusal(db, `select djr.seal(${topics}, 42)`)).code, 'DJR18', topics);
  }
  for (const topics of [rooms(0), `'{}'::text[]`])
    t.is(await seal(db, `djr.seal(${topics}, 42)`), null as never, topics);
});

test('A seal is read in the query that reads the state and its place', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table message (room_id int, body text); insert into message values (7, 'a'), (8, 'b')`);
  const [row] = await db.query(
    `select json_agg(m) as messages, djr.position() as since, djr.seal('room:7', 42) as seal from message m where room_id = 7`,
  );
  t.deepEqual(row!.messages, [{ room_id: 7, body: 'a' }]);
  t.regex(row!.since, /^\d+:\d+:/);
  t.is(contentOf(row!.seal)[0], 'room:7');
});

test('A seal for what is no topic, no user or no time is refused', async (t) => {
  const db = await createDatabase(t);
  t.is((await refusal(db, `select djr.seal('a b')`)).code, 'DJR18');
  t.is((await refusal(db, `select djr.seal(null)`)).code, 'DJR18');
  t.is((await refusal(db, `select djr.seal('r', '')`)).code, 'DJR03');
  for (const valid of ['0', '-1 hour', '32 days', '200000 years']) {
    t.is((await refusal(db, `select djr.seal('r', 'u', '${valid}')`)).code, 'DJR19', valid);
  }
  t.is((await refusal(db, `select djr.seal('r', 'u', null)`)).code, 'DJR19');
});

test('One key signs all seals, however many ask for the first at once, until it is rotated; then two are valid', async (t) => {
  const db = await createDatabase(t);
  const first = await Promise.all(Array.from({ length: 8 }, () => seal(db, `djr.seal('r')`)));
  t.is(new Set(first.map((text) => text.split('.')[1])).size, 1);
  const keys = async () =>
    (await db.query<{ id: string }>('select id from djr.seal_key order by created_at')).map(({ id }) => id);
  const [one] = await keys();
  await db.query('select djr.configure(rotate_seal_key => true)');
  const [old, two] = await keys();
  t.is(old, one);
  t.is((await seal(db, `djr.seal('r')`)).split('.')[1], two);
  await db.query('select djr.configure(rotate_seal_key => true)');
  const left = await keys();
  t.is(left.length, 2);
  t.false(left.includes(one!));
  t.true(left.includes(two!));
});

test('grant_seal lets a role seal, disconnect and recheck, and neither publish nor read', async (t) => {
  const db = await createDatabase(t);
  const sealer = await roleOf(t, db, ['grant_seal']);
  await sealer.query(`select djr.seal('r'), djr.seal('r', 42), djr.seal(array['r', 's'], 42), djr.position()`);
  await sealer.query(
    `select djr.disconnect('u'), djr.disconnect(42, 'logout'), djr.recheck('u'), djr.recheck(topic => 'r')`,
  );
  for (const sql of [`select djr.publish_topic('r', 't')`, 'select * from djr.event', 'select * from djr.seal_key']) {
    t.is((await refusal(sealer, sql)).code, '42501', sql);
  }
});

test('A seal carries the snapshot of the query that it was made in, which does not see what was revoked meanwhile', async (t) => {
  const db = await createDatabase(t);
  const page = await db.connect();
  await page.query('begin isolation level repeatable read; select from djr.event');
  await db.query(`select djr.recheck('u', 'r')`);
  const sealed = async (client: Pick<typeof page, 'query'>) => {
    const { rows } = await client.query<{ seal: string; revoked: string[] }>(
      `select djr.seal('r', 'u') as seal, array(select xid::text from djr.revocation) as revoked`,
    );
    return rows[0]!;
  };
  const visible = async (snapshot: string) =>
    (
      await db.query('select pg_visible_in_snapshot(xid, $1::pg_snapshot) as visible from djr.revocation', [snapshot])
    )[0]!.visible;
  const before = (contentOf((await sealed(page)).seal) as unknown[])[3] as string;
  await page.query('commit');
  const after = (contentOf((await sealed(page)).seal) as unknown[])[3] as string;
  t.false(await visible(before));
  t.true(await visible(after));
});

test('A page that only reads has a seal, also the first one there is', async (t) => {
  const db = await createDatabase(t);
  const page = await db.connect();
  await page.query('begin isolation level repeatable read read only');
  const { rows } = await page.query<{ seal: string }>(`select djr.position() as since, djr.seal('r', 'u') as seal`);
  const text = rows[0]!.seal;
  t.is(text.split('.')[3], await signature(db, text));
});

test('The key of a seal is there although the transaction that read the seal is rolled back', async (t) => {
  const db = await createDatabase(t);
  const page = await db.connect();
  await page.query('begin');
  const text = (await page.query<{ seal: string }>(`select djr.seal('r', 'u') as seal`)).rows[0]!.seal;
  await page.query('rollback');
  t.is(text.split('.')[3], await signature(db, text));
});

test('A transaction that only reads cannot make a seal valid for longer than any before: it ends with the longest of those', async (t) => {
  const db = await createDatabase(t);
  const page = await db.connect();
  const hours = async () => {
    await page.query('begin read only');
    const { rows } = await page.query<{ seal: string }>(`select djr.seal('r', 'u', '3 hours') as seal`);
    await page.query('commit');
    return Math.round((contentOf(rows[0]!.seal)[2] - Date.now() / 1000) / 3600);
  };
  t.is(await hours(), 1);
  await db.query(`select djr.seal('r', 'u', '2 hours')`);
  t.is(await hours(), 2);
  await db.query(`select djr.seal('r', 'u', '5 hours')`);
  t.is(await hours(), 3);
});

test('A seal that was made before its own transaction revoked it is void', async (t) => {
  const db = await createDatabase(t);
  const client = await db.connect();
  await client.query('begin; select pg_current_xact_id()');
  // Later transactions end first, so that the own one looks like one that has ended.
  for (let n = 0; n < 3; n += 1) await db.query('select pg_current_xact_id()');
  const text = (await client.query<{ seal: string }>(`select djr.seal('r', 'u') as seal`)).rows[0]!.seal;
  await client.query(`select djr.recheck('u', 'r'); commit`);
  const [row] = await db.query('select pg_visible_in_snapshot(xid, $1::pg_snapshot) as visible from djr.revocation', [
    (contentOf(text) as unknown[])[3],
  ]);
  t.false(row!.visible);
});

test('Revocations are kept for as long as a seal may be valid, and not longer, also if the query that read it was rolled back', async (t) => {
  const db = await createDatabase(t);
  await db.query(`begin; select djr.seal('r', 'u', '2 hours'); rollback`);
  await db.query(`select djr.recheck('u', 'r')`);
  const ageing = async (age: string) => {
    await db.query(`update djr.revocation set created_at = created_at - $1::interval`, [age]);
    await db.query(`select djr.recheck('v', 'r')`);
    return db.query('select user_id from djr.revocation order by user_id');
  };
  t.is((await ageing('119 minutes')).length, 2);
  t.deepEqual(await ageing('2 minutes'), [{ user_id: 'v' }, { user_id: 'v' }]);
});
