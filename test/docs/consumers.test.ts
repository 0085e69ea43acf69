import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Webhook } from 'standardwebhooks';
import { createRealtime } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { codeBlocks } from '../helpers/document.js';
import { recordingLogger, until } from '../helpers/server.js';

const recipe = (name: string) => new URL(`../../examples/recipes/consumers/${name}.js`, import.meta.url);
// They are JavaScript, which is not checked for types.
const { sendMails } = await import(recipe('mail').href);
const { planWebhooks, sendWebhook, sign, TABLES } = await import(recipe('webhooks').href);

function runtime(t: ExecutionContext, db: TestDatabase) {
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({ database: db.url, logger, shutdownGrace: 2000 });
  t.teardown(() => realtime.stop());
  return { realtime, lines };
}

/** Resolves when the consumer is there, so that what is published from then on comes. */
const created = (db: TestDatabase, name: string) =>
  until('the consumer', async () => (await db.query('select from djr.consumer where name = $1', [name])).length === 1);

test('All SQL of the page about consumers runs as it stands, and the first lines make an invoice of each order', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table invoice (order_id int);
    select djr.publish_system('order_paid', '{"order_id": 7}'), djr.publish_system('order_seen', '{"order_id": 7}')`);
  for (const block of await codeBlocks('consumers.md', 'sql')) await t.notThrowsAsync(db.query(block), block);
  t.deepEqual(await db.query('select order_id from invoice'), [{ order_id: 7 }]);
});

test('The Node code of the page about consumers runs as it stands', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table invoice (order_id int); select djr.create_consumer('billing')`);
  const { realtime } = runtime(t, db);
  const [code] = await codeBlocks('consumers.md', 'js');
  new Function('realtime', code!)(realtime);
  await db.query(`select djr.publish_system('order_paid', '{"order_id": 7}')`);
  await until('the invoice', async () => (await db.query('select from invoice')).length === 1);
  t.pass();
});

test('The page of recipes shows both as their files have them', async (t) => {
  const blocks = await codeBlocks('recipes.md', 'js');
  for (const name of ['webhooks', 'mail']) {
    t.true(blocks.includes(await readFile(recipe(name), 'utf8')), name);
  }
});

interface Received {
  id: string;
  payload: unknown;
}

/** A receiver that checks signatures with the library of Standard Webhooks, and answers as it is told. */
async function startReceiver(t: ExecutionContext, secret: string) {
  const received: Received[] = [];
  const state = { status: 200 };
  const webhook = new Webhook(secret);
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const payload = webhook.verify(Buffer.concat(chunks).toString(), req.headers as Record<string, string>);
    received.push({ id: String(req.headers['webhook-id']), payload });
    res.writeHead(state.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { received, state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

test('Webhooks: signed as any library of Standard Webhooks verifies, tried again under the same id, and no endpoint holds up another', async (t) => {
  const db = await createDatabase(t);
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const [good, bad] = [await startReceiver(t, secret), await startReceiver(t, secret)];
  bad.state.status = 503;
  await db.query(TABLES);
  await db.query('insert into webhook (url, secret) values ($1, $3), ($2, $3)', [bad.url, good.url, secret]);
  const { realtime } = runtime(t, db);
  planWebhooks(realtime, ['order_paid']);
  await created(db, 'webhooks');
  await db.query(`select djr.publish_system('order_paid', '{"order_id": 7, "note": "ü"}')`);
  const count = async () => (await db.query('select from webhook_delivery')).length;
  await until('the plan', async () => (await count()) === 2);
  while (await sendWebhook(db.pool));
  t.is(await count(), 1);
  t.is(good.received.length, 1);
  t.like(good.received[0]!.payload, { type: 'order_paid', data: { order_id: 7, note: 'ü' } });
  // On a busy machine the pause of the first attempt may be over within the loop.
  const attempts = bad.received.length;
  t.deepEqual(await db.query('select attempts from webhook_delivery'), [{ attempts }]);
  bad.state.status = 204;
  await db.query('update webhook_delivery set next_at = now()');
  while (await sendWebhook(db.pool));
  t.is(await count(), 0);
  t.is(bad.received.length, attempts + 1);
  t.is(new Set(bad.received.map(({ id }) => id)).size, 1);
  t.is(good.received.length, 1);
});

test('The signature is that of the example in the specification of Standard Webhooks', (t) => {
  const body = '{"test": 2432232314}';
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  t.is(
    sign(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, body),
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  );
});

test('Mail: each event is a mail, and one that goes out again has the same Message-ID', async (t) => {
  const db = await createDatabase(t);
  await db.query(
    `create table account (id int primary key, email text); insert into account values (5, 'ann@example.com')`,
  );
  const { realtime } = runtime(t, db);
  const sent: { messageId: string; to: string; text: string }[] = [];
  sendMails(realtime, {
    async sendMail(mail: { messageId: string; to: string; text: string }) {
      sent.push(mail);
      // The service has it, and its answer is lost.
      if (sent.length === 1) throw new Error('connection reset');
    },
  });
  await created(db, 'mail');
  for (const order of [7, 8]) {
    await db.query(`select djr.publish_system('order_paid', $1)`, [{ account_id: 5, order_id: order }]);
  }
  await until('the mails', () => sent.length === 3);
  t.deepEqual(
    sent.map(({ messageId, to }) => [messageId, to]),
    [1, 1, 2].map((id) => [`<djr-${id}@shop.example>`, 'ann@example.com']),
  );
  t.regex(sent[2]!.text, /order 8/);
});
