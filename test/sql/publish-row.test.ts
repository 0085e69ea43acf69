import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';

async function orders(
  t: Parameters<typeof createDatabase>[0],
  args = `'order_changed', 'user_id', 'id, status'`,
): Promise<TestDatabase> {
  const db = await createDatabase(t);
  await db.query('create table orders (id int primary key, user_id int, status text, note text)');
  await db.query(`create trigger changed after insert or update or delete on orders
    for each row execute function djr.publish_row(${args})`);
  return db;
}
const events = (db: TestDatabase) => db.query('select scope, user_id, type, detail from djr.event order by id');

test('insert, update and delete of a row reach its user, with the named columns, op and :id', async (t) => {
  const db = await orders(t);
  await db.query(`insert into orders values (1, 7, 'new', 'secret')`);
  await db.query(`update orders set status = 'paid'`);
  await db.query('delete from orders');
  const detail = (op: string, status: string) => ({
    scope: 'user',
    user_id: '7',
    type: 'order_changed',
    detail: { ':id': 1, op, id: 1, status },
  });
  t.deepEqual(await events(db), [detail('insert', 'new'), detail('update', 'paid'), detail('delete', 'paid')]);
});

test('an update that changes none of the named columns publishes nothing', async (t) => {
  const db = await orders(t);
  await db.query(`insert into orders values (1, 7, 'new', 'a')`);
  await db.query(`update orders set note = 'b'`);
  t.is((await events(db)).length, 1);
});

test('without a user column the event is for everyone; without a user in the row it is for nobody', async (t) => {
  const everyone = await orders(t, `'order_changed', '', 'status'`);
  await everyone.query(`insert into orders values (1, null, 'new')`);
  t.like((await events(everyone))[0], { scope: 'public', user_id: null });
  const users = await orders(t);
  await users.query(`insert into orders values (1, null, 'new')`);
  t.deepEqual(await events(users), []);
});

test('a user whom an update takes the row from sees it deleted', async (t) => {
  const db = await orders(t);
  await db.query(`insert into orders values (1, 7, 'new')`);
  await db.query('update orders set user_id = 8');
  t.deepEqual(
    (await events(db)).slice(1).map(({ user_id, detail }) => [user_id, detail.op]),
    [
      ['7', 'delete'],
      ['8', 'update'],
    ],
  );
});

test('an unknown column is refused when the trigger fires, with table and column', async (t) => {
  const db = await orders(t, `'order_changed', 'owner', 'status'`);
  const error = await refusal(db, `insert into orders values (1, 7, 'new')`);
  t.is(error.code, 'DJR08');
  t.regex(error.message, /orders.*"owner"/);
  t.is((await db.query('select from orders')).length, 0);
});

test('a statement trigger is refused with how it has to be declared', async (t) => {
  const db = await createDatabase(t);
  await db.query('create table orders (id int)');
  await db.query(`create trigger changed after insert on orders execute function djr.publish_row('a', '', 'id')`);
  const error = await refusal(db, 'insert into orders values (1)');
  t.is(error.code, 'DJR08');
  t.regex(error.hint!, /for each row execute function djr\.publish_row/);
});

test('a role that may write the table and no more causes the event, and may not publish another', async (t) => {
  const db = await orders(t);
  await db.query(`create role clerk_${db.name}`);
  t.teardown(() => db.query(`drop owned by clerk_${db.name}; drop role clerk_${db.name}`));
  await db.query(`grant insert on orders to clerk_${db.name}`);
  const clerk = await db.connect();
  await clerk.query(`set role clerk_${db.name}`);
  await clerk.query(`insert into orders values (1, 7, 'new')`);
  t.is((await events(db)).length, 1);
  t.is(
    (await refusal({ query: async (sql) => (await clerk.query(sql)).rows }, `select djr.publish('7', 't')`)).code,
    '42501',
  );
});

test('a cast to json that a table owner wrote does not run with the rights of djr', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create type mood as enum ('ok');
    create function evil(mood) returns json language plpgsql as $$ begin raise exception 'ran as %', current_user; end $$;
    create cast (mood as json) with function evil(mood);
    create table diary (id int primary key, mood mood);
    create trigger changed after insert on diary for each row execute function djr.publish_row('diary', '', 'mood')`);
  await db.query(`insert into diary values (1, 'ok')`);
  t.is((await events(db))[0]!.detail.mood, 'ok');
});
