/** With vitest: `npx vitest run vitest.test.js`. */
import { expectPublished } from 'djr/testing';
import { expect, onTestFinished, test } from 'vitest';
import { begin } from './database.js';
import { pay } from './orders.js';

test('the customer is told that an order is paid', async () => {
  const { client, end } = await begin();
  onTestFinished(end);
  await pay(client, 7);
  const event = await expectPublished(client, { userId: 'ada', type: 'order_paid', detail: { ':id': 7 } });
  expect(event.id).toBe(1);
});
