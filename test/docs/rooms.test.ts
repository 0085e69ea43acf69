import { readFile } from 'node:fs/promises';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';

test('All SQL of the page about rooms runs as it stands, one block after the other', async (t) => {
  const db = await createDatabase(t);
  const page = await readFile(new URL('../../docs/rooms.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]!);
  t.true(blocks.length > 6);
  await db.query(`
    create table message (id int primary key, room_id int, text text);
    create schema app;
    create table app.session (user_id int)`);
  for (const block of blocks) await t.notThrowsAsync(db.query(block), block);

  await db.query(`insert into message values (1, 7, 'hello');
    insert into app.block values (1, '00000000-0000-0000-0000-000000000001', 'text');
    insert into app.ticket values (1, 5, 7, 'ticket');
    insert into app.account values (42, 5);
    insert into app.member values (7, 42)`);
  t.deepEqual(
    (await db.query(`select topic from djr.event where scope = 'topic' order by id`)).map(({ topic }) => topic),
    ['room:7', 'document:00000000-0000-0000-0000-000000000001', 'tenant:5:room:7'],
  );
  const rights = `select app.may_hear('42', 'room:7') as own, app.may_hear('42', 'room:8') as other,
    app.may_hear(null, 'room:7') as nobody, app.may_hear_tenant('42', 'tenant:5:room:7') as own_tenant,
    app.may_hear_tenant('42', 'tenant:55:room:7') as other_tenant, app.may_hear_tenant(null, 'tenant:5:room:7') as no_tenant`;
  t.deepEqual(await db.query(rights), [
    { own: true, other: false, nobody: false, own_tenant: true, other_tenant: false, no_tenant: false },
  ]);
});
