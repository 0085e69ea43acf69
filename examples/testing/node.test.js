// @ts-check
/** With Node's own runner: `node --test node.test.js`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectPublished } from 'djr/testing';
import { begin } from './database.js';
import { pay } from './orders.js';

test('the customer is told that an order is paid', async (t) => {
  const { client, end } = await begin();
  t.after(end);
  await pay(client, 7);
  const event = await expectPublished(client, { userId: 'ada', type: 'order_paid', detail: { ':id': 7 } });
  assert.equal(event.id, 1);
});
