import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { listen } from '../helpers/sql.js';

const alive = (db: TestDatabase, name: string) =>
  db.query(`select djr.report_instance($1, '0', 0, 0, 0, 0, null, 'host', '0')`, [name]);

const report = (
  db: TestDatabase,
  instance: string,
  told: [topic: string, user: string, streams: number][],
  afresh = false,
) =>
  db.query('select djr.report_presence($1, $2, $3, $4, $5)', [
    instance,
    told.map(([topic]) => topic),
    told.map(([, user]) => user),
    told.map(([, , streams]) => streams),
    afresh,
  ]);

const online = (db: TestDatabase) => db.query('select topic, user_id, streams from djr.online order by topic, user_id');

test('online has a user once, however many streams and instances; 0 streams end it', async (t) => {
  const db = await createDatabase(t);
  await alive(db, 'a');
  await alive(db, 'b');
  await report(db, 'a', [
    ['room:7', 'u', 2],
    ['', 'u', 2],
    ['room:7', 'v', 1],
  ]);
  await report(db, 'b', [['room:7', 'u', 1]]);
  t.deepEqual(await online(db), [
    { topic: 'room:7', user_id: 'u', streams: 3 },
    { topic: 'room:7', user_id: 'v', streams: 1 },
    { topic: null, user_id: 'u', streams: 2 },
  ]);
  await report(db, 'a', [
    ['room:7', 'u', 0],
    ['room:7', 'v', 0],
    ['', 'u', 0],
  ]);
  t.deepEqual(await online(db), [{ topic: 'room:7', user_id: 'u', streams: 1 }]);
  await report(db, 'b', [], true);
  t.deepEqual(await online(db), []);
});

test('The users of an instance are gone with it: when it stops, and when it is not seen any more', async (t) => {
  const db = await createDatabase(t);
  await alive(db, 'a');
  await alive(db, 'b');
  await report(db, 'a', [['room:7', 'u', 1]]);
  await report(db, 'b', [['room:7', 'v', 1]]);
  await db.query(`select djr.forget_instance('a')`);
  t.deepEqual(await db.query('select user_id from djr.presence'), [{ user_id: 'v' }]);
  await db.query(`update djr.instance set seen_at = seen_at - interval '31 seconds'`);
  t.deepEqual(await online(db), []);
});

test('The other instances hear which topics changed, and of many that there were some', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await alive(db, 'a');
  await report(db, 'a', [
    ['room:7', 'u', 1],
    ['', 'u', 1],
  ]);
  await report(
    db,
    'a',
    Array.from({ length: 1000 }, (_, n) => [`${n}:${'x'.repeat(100)}`, 'u', 1] as [string, string, number]),
  );
  await report(db, 'a', [['', 'v', 1]]);
  t.deepEqual(
    (await listener.messages(2)).map((message) => JSON.parse(message)),
    [{ presence: ['room:7'] }, { presence: null }],
  );
  t.deepEqual(await db.query(`select * from djr.presence_of('{room:7,nothing}')`), [
    { topic: 'room:7', user_ids: ['u'] },
    { topic: 'nothing', user_ids: [] },
  ]);
});
