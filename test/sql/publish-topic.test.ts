import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { roleOf } from '../helpers/role.js';
import { listen, refusal } from '../helpers/sql.js';

const columns = 'scope, topic, user_id, type, detail';

test('publish_topic, an INSERT and publish_many store an event of a topic and announce it with the topic', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 1}')`);
  await db.query(
    `insert into djr.event (scope, topic, type, detail) values ('topic', 'room:7', 'message', '{"n": 2}')`,
  );
  const many = JSON.stringify([
    { topic: 'room:7', type: 'message', detail: { n: 3 } },
    { scope: 'topic', topic: 'room:7', type: 'message', detail: { n: 4 }, key: 'k' },
  ]);
  await db.query('select djr.publish_many($1)', [many]);
  t.deepEqual(
    await db.query(`select ${columns} from djr.event order by id`),
    [1, 2, 3, 4].map((n) => ({ scope: 'topic', topic: 'room:7', user_id: null, type: 'message', detail: { n } })),
  );
  const headers = (await listener.messages(3)).flatMap((message) =>
    message.split('\n').map((line) => JSON.parse(line.split('\t')[0]!) as unknown[]),
  );
  t.deepEqual(
    headers.map((header) => [header[2], header[3], header[4], header[6]]),
    [1, 2, 3, 4].map(() => ['topic', null, 'message', 'room:7']),
  );
});

test('An event of another scope is announced with six fields, as instances of before topics read it', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query(`select djr.publish('u', 'x')`);
  const [message] = await listener.messages(1);
  t.is((JSON.parse(message!.split('\t')[0]!) as unknown[]).length, 6);
});

test('Scope, user and topic must fit together, on publish_many and on a plain INSERT', async (t) => {
  const db = await createDatabase(t);
  const misfits: [scope: string | null, user: string | null, topic: string | null][] = [
    ['topic', null, null],
    ['topic', 'u', 'room:7'],
    ['topic', 'u', null],
    ['user', 'u', 'room:7'],
    ['user', null, 'room:7'],
    ['public', null, 'room:7'],
    ['system', null, 'room:7'],
    ['control', 'u', null],
    ['control', null, null],
  ];
  for (const [scope, user_id, topic] of misfits) {
    const said = JSON.stringify([scope, user_id, topic]);
    const insert = `insert into djr.event (scope, user_id, topic, type) values ($1, $2, $3, 't')`;
    t.is((await refusal(db, insert, [scope, user_id, topic])).code, 'DJR02', `INSERT ${said}`);
    const many = JSON.stringify([{ scope, user_id, topic, type: 't' }]);
    t.is((await refusal(db, 'select djr.publish_many($1)', [many])).code, 'DJR02', `publish_many ${said}`);
    await db.query(`select djr.configure(delivery => 'sweep')`);
    t.is((await refusal(db, insert, [scope, user_id, topic])).code, 'DJR02', `INSERT in sweep ${said}`);
    await db.query(`select djr.configure(delivery => 'auto'), setval('djr.delivery_mode', 1)`);
  }
  t.deepEqual(await db.query('select from djr.event'), []);
});

test('A topic has 1 to 255 characters, without white space and control characters', async (t) => {
  const db = await createDatabase(t);
  for (const topic of ['', 'a b', 'a\tb', 'a\u00a0b', 'a\u2028b', 'a\ufeffb', 'x'.repeat(256)]) {
    const publish = await refusal(db, `select djr.publish_topic($1, 't')`, [topic]);
    t.is(publish.code, 'DJR18', JSON.stringify(topic));
    const many = await refusal(db, 'select djr.publish_many($1)', [JSON.stringify([{ topic, type: 't' }])]);
    t.is(many.code, 'DJR18', JSON.stringify(topic));
    t.regex(many.message, /^events\[0\]: a topic must have/);
    const insert = await refusal(db, `insert into djr.event (scope, topic, type) values ('topic', $1, 't')`, [topic]);
    t.regex(insert.constraint ?? '', /^event_topic_/);
  }
  t.is((await refusal(db, `select djr.publish_topic(null, 't')`)).code, 'DJR02');
  await db.query(`select djr.publish_topic($1, 't')`, ['ü'.repeat(255)]);
});

test('A topic is part of the 7,999 bytes of a message, in bytes and not in characters', async (t) => {
  const db = await createDatabase(t);
  const publish = `select djr.publish_topic($1, 't', jsonb_build_object('x', repeat('x', $2)))`;
  const topic = 'ü'.repeat(200);
  const { detail } = await refusal(db, publish, [topic, 7900]);
  const over = Number(/message is (\d+) bytes/.exec(detail ?? '')?.[1]) - 7999;
  t.true(over > 300);
  t.is((await refusal(db, publish, [topic, 7900 - over + 1])).code, 'DJR05');
  await db.query(publish, [topic, 7900 - over]);
});

test('With storage off an event of a topic is announced, and misfits are refused', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query('select djr.configure(storage => false)');
  await db.query(`select djr.publish_topic('room:7', 'typing')`);
  const messages = await listener.messages(2);
  const header = JSON.parse(messages[1]!.split('\t')[0]!) as unknown[];
  t.deepEqual([header[1], header[2], header[6]], [null, 'topic', 'room:7']);
  t.is((await refusal(db, `select djr.publish_topic('a b', 'typing')`)).code, 'DJR18');
});

test('A replay of an event of a topic is for that topic', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.replay(djr.publish_topic('room:7', 'message', '{"n": 1}'))`);
  const [original, replay] = await db.query(`select ${columns} from djr.event order by id`);
  t.deepEqual(replay, original);
});

test("Who may publish may publish to topics, and may neither set what is djr's nor seal nor disconnect", async (t) => {
  const db = await createDatabase(t);
  const publisher = await roleOf(t, db, ['grant_publish']);
  await publisher.query(`select djr.publish_topic('room:7', 'message')`);
  await publisher.query(`insert into djr.event (scope, topic, type) values ('topic', 'room:7', 'message')`);
  for (const sql of [
    `insert into djr.event (scope, type, replay_of) values ('control', 'disconnect', 0)`,
    `select djr.seal('room:7')`,
    `select djr.seal('room:7', 'u')`,
    `select djr._seal(array['room:7'], 'u', '1 hour')`,
    `select djr.disconnect('u')`,
    `select djr.recheck()`,
    `select djr._order('disconnect', 'u', '{}')`,
    'select * from djr.seal_key',
    'select djr._new_seal_key()',
    'select * from djr.online',
    `select djr.report_presence('i', '{}', '{}', '{}')`,
    `select djr.authorize_topics('{u}', '{t}')`,
  ]) {
    t.is((await refusal(publisher, sql)).code, '42501', sql);
  }
  const control = await refusal(publisher, `insert into djr.event (scope, type) values ('control', 'disconnect')`);
  t.is(control.code, 'DJR02');
});
