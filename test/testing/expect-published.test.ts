import { AssertionError } from 'node:assert';
import test, { type ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { expectPublished, published } from '../../src/testing/index.js';
import { createDatabase } from '../helpers/database.js';

/** A client in a transaction, and a runtime that publishes in it. */
async function begin(t: ExecutionContext) {
  const database = await createDatabase(t);
  const realtime = createRealtime({ database: database.url });
  t.teardown(() => realtime.stop());
  const client = await database.connect();
  await client.query('begin');
  return { database, realtime, client };
}

test('what the open transaction has published is expected, and nobody gets it when that is rolled back', async (t) => {
  const { database, realtime, client } = await begin(t);
  await database.query(`select djr.publish('ada', 'before')`);
  await realtime.publish(
    { userId: 7, type: 'paid', detail: { ':id': 7, lines: [{ item: 'Tea', n: 1 }] }, key: 'k' },
    { client },
  );
  await realtime.publish({ topic: 'room:7', type: 'said' }, { client });
  await realtime.publish({ scope: 'public', type: 'news', privateData: { by: 'bob' } }, { client });
  await realtime.disconnect('bob', 'gone', { client });
  await client.query('savepoint one');
  await realtime.publish({ scope: 'system', type: 'work' }, { client });

  const event = await expectPublished(client, { type: 'paid', userId: 7, detail: { lines: [{ item: 'Tea' }] } });
  t.like(event, { type: 'paid', scope: 'user', userId: '7', key: 'k', topic: null, privateData: null });
  for (const userId of ['7', 7n]) await expectPublished(client, { type: 'paid', userId });
  await expectPublished(client, { type: 'said', scope: 'topic', topic: 'room:7', userId: null });
  await expectPublished(client, { type: 'news', privateData: { by: 'bob' } });
  t.deepEqual(
    (await published(client)).map(({ type }) => type),
    ['paid', 'said', 'news', 'work'],
  );
  await client.query('rollback');
  t.deepEqual(await published(client), []);
  t.deepEqual(await database.query('select type from djr.event'), [{ type: 'before' }]);
});

test('what was not published fails, and says what was', async (t) => {
  const { realtime, client } = await begin(t);
  const nothing = await t.throwsAsync(expectPublished(client, { type: 'paid' }), { instanceOf: AssertionError });
  t.regex(nothing.message, /must have been published.*nothing was/);
  await realtime.publish({ userId: 'ada', type: 'paid', detail: { total: '1', lines: [1, 2] } }, { client });
  const wrong: Parameters<typeof expectPublished>[1][] = [
    { type: 'lost' },
    { type: 'paid', userId: 'bob' },
    { type: 'paid', userId: null },
    { type: 'paid', topic: 'room:7' },
    { type: 'paid', detail: { total: 1 } },
    { type: 'paid', detail: { lines: [1] } },
    { type: 'paid', detail: { more: null } },
    { type: 'paid', userId: 9n, key: 'k' },
  ];
  for (const expected of wrong) {
    const error = await t.throwsAsync(expectPublished(client, expected), { instanceOf: AssertionError });
    t.true(error.message.includes('"type":"paid"'), error.message);
  }
});
