// Events of djr as signed webhooks: https://www.standardwebhooks.com
import { createHmac } from 'node:crypto';

export const TABLES = `
  create table webhook (id bigint generated always as identity primary key, url text not null, secret text not null);
  create table webhook_delivery (
    id bigint generated always as identity primary key,
    webhook_id bigint not null references webhook on delete cascade,
    body text not null,
    attempts int not null default 0,
    next_at timestamptz not null default now()
  );
  create index on webhook_delivery (next_at)`;

/**
 * One delivery for each event and endpoint, in the transaction that moves the consumer's place: none is missed, none is doubled.
 *
 * @param {import('djr').Realtime} realtime
 * @param {string[]} types
 */
export const planWebhooks = (realtime, types) =>
  realtime.consume(
    'webhooks',
    async (events, { client }) => {
      for (const { type, createdAt, detail } of events) {
        const body = JSON.stringify({ type, timestamp: createdAt.toISOString(), data: detail });
        await client.query('insert into webhook_delivery (webhook_id, body) select id, $1 from webhook', [body]);
      }
    },
    { create: { types } },
  );

/**
 * @param {string} secret - `whsec_` and 24 to 64 random bytes in base64; only you and the receiver have it
 * @param {string} id
 * @param {number} timestamp - seconds
 * @param {string} body
 */
export function sign(secret, id, timestamp, body) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/**
 * Sends what is due, and tries again later what the receiver did not take: after 2, 4, 8 … seconds, an hour at most.
 *
 * @param {import('pg').Pool} pool
 */
export async function sendWebhook(pool) {
  const client = await pool.connect();
  /** @type {Error | undefined} */
  let lost;
  // A connection that is lost during the request must not end the process.
  const onError = (/** @type {Error} */ error) => {
    lost = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin');
    const { rows } = await client.query(
      `select delivery.id, body, url, secret from webhook_delivery delivery join webhook on webhook.id = webhook_id
        where next_at <= now() order by next_at limit 1 for update of delivery skip locked`,
    );
    const [due] = rows;
    if (due) await settle(client, due.id, await post(due));
    await client.query('commit');
    return due !== undefined;
  } catch (error) {
    await client.query('rollback').catch(onError);
    throw error;
  } finally {
    client.off('error', onError);
    client.release(lost);
  }
}

/** @type {(client: import('pg').PoolClient, id: string, isTaken: boolean) => Promise<unknown>} */
const settle = (client, id, isTaken) =>
  isTaken
    ? client.query('delete from webhook_delivery where id = $1', [id])
    : client.query(
        `update webhook_delivery set attempts = attempts + 1,
                next_at = now() + least(2 ^ least(attempts + 1, 12), 3600) * interval '1 second' where id = $1`,
        [id],
      );

/** @param {{ id: string, body: string, url: string, secret: string }} delivery */
async function post({ id, body, url, secret }) {
  // The same in every attempt: a receiver that has had it knows.
  const webhookId = `msg_${id}`;
  const timestamp = Math.floor(Date.now() / 1000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': webhookId,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': sign(secret, webhookId, timestamp, body),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(15_000),
    });
    return response.ok;
  } catch {
    return false;
  }
}
