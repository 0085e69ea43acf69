/** With jest, as an ES module: `NODE_OPTIONS=--experimental-vm-modules npx jest jest.test.js`. */
import { afterEach, expect, test } from '@jest/globals';
import { expectPublished } from 'djr/testing';
import { begin } from './database.js';
import { pay } from './orders.js';

/** @type {() => Promise<void>} */
let ended;
afterEach(() => ended());

test('the customer is told that an order is paid', async () => {
  const { client, end } = await begin();
  ended = end;
  await pay(client, 7);
  const event = await expectPublished(client, { userId: 'ada', type: 'order_paid', detail: { ':id': 7 } });
  expect(event.id).toBe(1);
});
