import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { roleOf } from '../helpers/role.js';
import { refusal } from '../helpers/sql.js';

const OWN = [
  `select djr.create_consumer('billing', 'start')`,
  `select * from djr.consume('billing', 1)`,
  `select * from djr.consume('billing', 1, 'share')`,
  'select * from djr.consumer',
  `select djr.reset_consumer('billing')`,
  `select djr.drop_consumer('billing')`,
  'select djr.position()',
];

const OTHERS = [
  'select * from djr.event',
  'select * from djr.settings',
  'select djr.channel()',
  `select djr.publish('1', 't')`,
  `insert into djr.event (scope, type) values ('public', 't')`,
  'select djr.prune()',
  'select djr.replay(1)',
  `select djr.configure(storage => false)`,
  'select * from djr._consumer_place',
  'delete from djr._consumer',
  `select djr._overtake_all('x')`,
  `select djr._consumer_from('now')`,
  `select djr._find_consumer('billing')`,
];

test('grant_consume lets a role consume, and no more; revoke_consume takes it back', async (t) => {
  const db = await createDatabase(t);
  const role = await roleOf(t, db, ['grant_consume']);
  await db.query(`select djr.publish('1', 't', '{}', '"private"')`);
  for (const sql of OWN) await t.notThrowsAsync(role.query(sql), sql);
  for (const sql of OTHERS) t.is((await refusal(role, sql)).code, '42501', sql);
  t.deepEqual(await db.query('select capability from djr.grantee where role = $1', [role.role]), [
    { capability: 'consume' },
  ]);
  t.deepEqual(await db.query('select role from djr._excess_rights()'), []);
  await db.query('select djr.revoke_consume($1)', [role.role]);
  for (const sql of OWN) t.is((await refusal(role, sql)).code, '42501', sql);
  t.deepEqual(await db.query('select from djr.grantee where role = $1', [role.role]), []);
});

test('No other grant lets a role consume, and public gets it never', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.create_consumer('billing')`);
  for (const grant of ['grant_publish', 'grant_seal', 'grant_server']) {
    const role = await roleOf(t, db, [grant]);
    t.is((await refusal(role, `select * from djr.consume('billing')`)).code, '42501', grant);
    t.is((await refusal(role, `select djr.drop_consumer('billing')`)).code, '42501', grant);
  }
  t.is((await refusal(db, `select djr.grant_consume('public')`)).code, 'DJR13');
  t.is((await refusal(db, 'select djr.grant_consume(null)')).code, 'DJR13');
  t.is((await refusal(db, `select djr.grant_consume('no one')`)).code, '42704');
});
