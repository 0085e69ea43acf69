import { type ConsumedEvent, createRealtime } from '../../src/index.js';

// Compiled and never run: each line below `@ts-expect-error` must not compile, and each other one must.
const realtime = createRealtime<{ paid: { total: string }; sent: { to: string } }>();

realtime.consume('billing', async (events, { client, signal }) => {
  for (const event of events) {
    if (event.type === 'paid') await client.query('select $1', [event.detail.total]);
    // @ts-expect-error: a paid event has none
    if (event.type === 'paid') event.detail.to.trim();
    // @ts-expect-error: what is stored does not change
    event.type = 'sent';
  }
  signal.throwIfAborted();
});
realtime.consume('all', (events: ConsumedEvent[]) => events.map(({ privateData }) => privateData), { share: true });
// @ts-expect-error: there is no such option
realtime.consume('billing', () => {}, { shared: true });
// @ts-expect-error: a handler is a must
realtime.consume('billing');
createRealtime().consume('any', ([event]) => event?.detail.anything, { create: { from: 'start' } });
