import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { djr, start } from './helpers.js';

test('publish --topic publishes to a topic, and to nobody else', async (t) => {
  const database = await createDatabase(t);
  const { code, err } = await djr(t, ['publish', 'said', '{"n": 1}', '--topic', 'room:7', '-d', database.url]);
  t.is(code, 0, err);
  t.deepEqual(await database.query('select type, scope, topic, user_id from djr.event'), [
    { type: 'said', scope: 'topic', topic: 'room:7', user_id: null },
  ]);
  for (const other of [['--user', '42'], ['--global'], ['--system']]) {
    const refused = await djr(t, ['publish', 'said', '--topic', 'room:7', ...other, '-d', database.url]);
    t.not(refused.code, 0, other.join(' '));
    t.regex(refused.err, /--topic/);
  }
  const spaced = await djr(t, ['publish', 'said', '--topic', 'room 7', '-d', database.url]);
  t.is(spaced.code, 1);
  t.regex(spaced.err, /topic/);
});

test('tail --topic and --scope topic print events of topics only', async (t) => {
  const database = await createDatabase(t);
  const ofRoom = start(t, ['tail', '-d', database.url, '--topic', 'room:7', '--count', '1']);
  const ofTopics = start(t, ['tail', '-d', database.url, '--scope', 'topic', '--json', '--count', '2']);
  for (const tail of [ofRoom, ofTopics]) await tail.complained(/listening/);
  await database.query(
    `select djr.publish_global('other'), djr.publish_topic('room:8', 'said'), djr.publish_topic('room:7', 'said', '{"n": 1}')`,
  );
  t.regex((await ofRoom.ended).out, /^\S+ {2}\d+ {2}topic room:7 {2}said {2}\{"n":1\}\n$/);
  const topics = (await ofTopics.ended).out.trim().split('\n');
  t.deepEqual(topics.map((line) => JSON.parse(line).topic).sort(), ['room:7', 'room:8']);
});

test('what has no width or turns the direction is written out, and JSON stays JSON', async (t) => {
  const database = await createDatabase(t);
  const hidden = 'a\u200b\u202e\u{e0041}b';
  const lines = start(t, ['tail', '-d', database.url, '--count', '1']);
  const json = start(t, ['tail', '-d', database.url, '--json', '--count', '1']);
  for (const tail of [lines, json]) await tail.complained(/listening/);
  await database.query('select djr.publish($1::text, $1, $2)', [hidden, { text: hidden }]);
  const { out } = await lines.ended;
  t.regex(out, /user a\\u200b\\u202e\\u\{e0041\}b {2}a\\u200b/);
  t.regex(out, /^[ -~\n]*$/);
  const printed = (await json.ended).out;
  t.regex(printed, /^[ -~\n]*$/);
  t.like(JSON.parse(printed), { type: hidden, user_id: hidden, detail: { text: hidden } });
});
