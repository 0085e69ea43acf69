// @ts-check
/** With ava: `npx ava ava.test.js`. */
import test from 'ava';
import { expectPublished } from 'djr/testing';
import { begin } from './database.js';
import { pay } from './orders.js';

test('the customer is told that an order is paid', async (t) => {
  const { client, end } = await begin();
  t.teardown(end);
  await pay(client, 7);
  const event = await expectPublished(client, { userId: 'ada', type: 'order_paid', detail: { ':id': 7 } });
  t.is(event.id, 1);
});
