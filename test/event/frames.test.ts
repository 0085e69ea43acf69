import test from 'ava';
import { startApp } from '../helpers/server.js';

test('A public event reaches every client, anonymous ones too', async (t) => {
  const app = await startApp(t);
  const clients = await Promise.all([app.stream(), app.streamOf('alice'), app.streamOf('bob')]);
  const [row] = await app.db.query('select djr.publish_global($1, $2) as id', ['chat_message', { text: 'hello' }]);
  for (const client of clients) {
    const { id, data } = await client.event('chat_message');
    t.deepEqual(data, { text: 'hello', type: 'chat_message' });
    t.is(id!.split('-')[0], row!.id);
  }
});

test("A user's event reaches every stream of that user, and nobody else", async (t) => {
  const app = await startApp(t);
  const alice = await Promise.all([app.streamOf('alice'), app.streamOf('alice')]);
  const others = await Promise.all([app.streamOf('bob'), app.streamOf('Alice'), app.streamOf('alice2'), app.stream()]);
  await app.db.query("select djr.publish('alice', 'secret', '{\"n\": 1}')");
  await app.db.query("select djr.publish_global('end')");
  for (const stream of alice) {
    await stream.event('end');
    t.deepEqual(stream.types, ['secret', 'end']);
  }
  for (const stream of others) {
    await stream.event('end');
    t.deepEqual(stream.types, ['end']);
    t.false(stream.raw.includes('secret'));
  }
});

test('A user id is the same as number, text and what authenticate returns', async (t) => {
  const app = await startApp(t, { authenticate: () => 42 });
  const stream = await app.stream();
  await app.db.query("select djr.publish(42, 'as_number')");
  await app.db.query("select djr.publish('42', 'as_text')");
  await app.realtime.publish({ userId: 42n, type: 'as_bigint' });
  t.deepEqual(
    (await stream.count(3)).map(({ data }) => data.type),
    ['as_number', 'as_text', 'as_bigint'],
  );
});

test('A system event reaches subscribers and no client, its own user included', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('alice');
  const seen: string[] = [];
  app.realtime.subscribe((event) => seen.push(event.type));
  await app.db.query("select djr.publish_system('backend_only', '{}', 'alice')");
  await app.db.query("select djr.publish_global('end')");
  await stream.event('end');
  t.deepEqual(stream.types, ['end']);
  t.deepEqual(seen, ['backend_only', 'end']);
});

test('Private data never leaves the database', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const seen: object[] = [];
  app.realtime.subscribe((event) => seen.push(event));
  await app.db.query(`select djr.publish_global('payment', '{"amount": 1}', '{"card": "4111"}')`);
  await stream.event('payment');
  t.false(stream.raw.includes('4111'));
  t.false(JSON.stringify(seen).includes('4111'));
});

test('The stream begins as docs and the original client expect it', async (t) => {
  const app = await startApp(t, { retry: 3000 });
  const stream = await app.stream();
  t.is(stream.status, 200);
  t.is(stream.headers['content-type'], 'text/event-stream; charset=utf-8');
  t.is(stream.headers['cache-control'], 'private, no-store, no-transform');
  t.is(stream.headers['x-accel-buffering'], 'no');
  t.true(stream.retry! >= 3000 && stream.retry! <= 4500);
  t.regex(stream.raw, /^retry: \d+\n\nid: 0-[0-9a-z.]+\ndata: \{"type":"connected"\}\n\n$/);
  t.is(stream.frames[0]!.event, undefined);
});

test('An event is its id with a position, and its detail with the type, on one line each', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.db.query(`select djr.publish_global('task_complete', '{"task_id": 123, "status": "success"}')`);
  await stream.event('task_complete');
  const [frame] = stream.raw.split('\n\n').slice(-2);
  t.regex(frame!, /^id: \d+-[0-9a-z]+\.[0-9A-Za-z._-]+\ndata: \{[^\n]*\}$/);
  t.deepEqual(stream.events[0]!.data, { task_id: 123, status: 'success', type: 'task_complete' });
});

test('?named=1 names the event in its frame, for addEventListener and hx-sse', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream('?named=1');
  await app.db.query("select djr.publish_global('chat_message')");
  const { event, data } = await stream.event('chat_message');
  t.is(event, 'chat_message');
  t.deepEqual(data, { type: 'chat_message' });
});

test('?types= is all that the client gets, live and in bulk', async (t) => {
  const app = await startApp(t);
  const [some, all] = [await app.streamOf('alice', '?types=a,end'), await app.streamOf('alice')];
  await app.db.query(`insert into djr.event (scope, user_id, type)
    select case when i % 2 = 0 then 'public' else 'user' end, case when i % 2 = 0 then null else 'alice' end,
           (array['a', 'b', 'c'])[i % 3 + 1] from generate_series(0, 11) i`);
  await app.db.query("select djr.publish_global('end')");
  await Promise.all([some.event('end'), all.event('end')]);
  t.deepEqual(some.types, ['a', 'a', 'a', 'a', 'end']);
  t.is(all.events.length, 13);
});

test('Details that trouble parsers arrive as they were published', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const nested = `${'['.repeat(1500)}${']'.repeat(1500)}`;
  const details = [
    '{}',
    '{"type": "not mine"}',
    '{"a": {"type": 1}, "type": null}',
    '{"__proto__": {"admin": true}, "constructor": 1}',
    '{"text": "line\\u2028separator\\u2029, \\r\\n and \\t"}',
    '{"text": "data: x\\n\\nid: 1-x\\n\\n"}',
    '{"emoji": "\\ud83d\\ude00", "quote": "\\"\\\\"}',
    `{"nested": ${nested}}`,
    '{":id": 5, "": "empty key"}',
  ];
  for (const detail of details) {
    await app.db.query('select djr.publish_global($1, $2::jsonb)', ['hard', detail]);
  }
  const events = await stream.count(details.length);
  for (const [i, detail] of details.entries()) {
    const expected = JSON.parse(detail);
    // An assignment to __proto__ would set the prototype.
    Object.defineProperty(expected, 'type', { value: 'hard', enumerable: true });
    t.is(JSON.stringify(sorted(events[i]!.data)), JSON.stringify(sorted(expected)), detail.slice(0, 60));
  }
});

/** Key order is the database's own. */
const sorted = (value: object) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));

test('Numbers that JavaScript cannot hold reach the browser as they were stored', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  await app.db.query(`select djr.publish_global('plain', '{"n": 123456789012345678901234567890}')`);
  await app.db.query(`select djr.publish_global('nested', '{"n": 9007199254740993, "a": {"type": 1}}')`);
  await app.db.query(`select djr.publish_global('word', '{"n": 9007199254740993, "a": "\\"type\\""}')`);
  await app.db.query(`select djr.publish_global('own', '{"n": 9007199254740993, "type": "not mine"}')`);
  const [plain, ...others] = await stream.count(4);
  t.true(plain!.text.includes('123456789012345678901234567890'));
  for (const { text, data } of others) t.true(text.includes('9007199254740993'), `${data.type}: ${text}`);
  t.deepEqual(stream.types, ['plain', 'nested', 'word', 'own']);
});

test('A silent stream gets heartbeats, which move its id and no more', async (t) => {
  const app = await startApp(t, { heartbeat: 100 });
  const stream = await app.stream();
  await stream.until('two heartbeats', () => stream.comments.length >= 2);
  t.deepEqual(new Set(stream.comments), new Set(['heartbeat']));
  t.is(stream.frames.length, 1);
});

test('With storage off events are delivered, and none is stored', async (t) => {
  const app = await startApp(t);
  await app.db.query('select djr.configure(storage => false)');
  const stream = await app.streamOf('alice');
  const id = await app.realtime.publish({ userId: 'alice', type: 'passing', detail: { n: 1 } });
  const frame = await stream.event('passing');
  t.is(Number.parseInt(frame.id!, 10), id);
  t.deepEqual(frame.data, { n: 1, type: 'passing' });
  t.deepEqual(await app.db.query('select * from djr.event'), []);
});

test('Events of one transaction come in the order in which they were published', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('alice');
  const client = await app.db.connect();
  await client.query('begin');
  for (let i = 0; i < 30; i += 1) {
    await client.query(i % 3 ? "select djr.publish('alice', 'n', $1)" : "select djr.publish_global('n', $1)", [{ i }]);
  }
  await client.query('commit');
  await stream.count(30);
  t.deepEqual(
    stream.events.map(({ data }) => data.i),
    Array.from({ length: 30 }, (_, i) => i),
  );
});

test('A transaction that is rolled back sends nothing', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const client = await app.db.connect();
  await client.query('begin');
  await app.realtime.publish({ scope: 'public', type: 'undone' }, { client });
  await client.query('rollback');
  await app.realtime.publish({ scope: 'public', type: 'done' });
  await stream.event('done');
  t.deepEqual(stream.types, ['done']);
});
