import test from 'ava';
import { Lag } from '../../src/instance/lag.js';
import { type Reading, Series } from '../../src/instance/series.js';

const reading = (own: Partial<Reading> = {}): Reading => ({
  connections: 0,
  events: 0,
  deliveries: 0,
  errors: 0,
  lagMs: null,
  queueUsage: null,
  ...own,
});

test('The series has rates between readings, and keeps the last ten minutes only', (t) => {
  const series = new Series(reading({ events: 10 }), 0);
  series.add(reading({ connections: 4, events: 20, deliveries: 100, errors: 2, lagMs: 3, queueUsage: 0.1 }), 5000);
  t.deepEqual(series.samples, [
    { at: 5000, connections: 4, eventsPerSecond: 2, deliveriesPerSecond: 20, errors: 2, lagMs: 3, queueUsage: 0.1 },
  ]);
  for (let i = 2; i <= 500; i += 1) series.add(reading(), i * 5000);
  t.is(series.samples.length, 120);
  t.is(series.samples.at(-1)!.at - series.samples[0]!.at, 119 * 5000);
});

test('A clock that is set back makes no rate infinite', (t) => {
  const series = new Series(reading(), 5000);
  series.add(reading({ events: 1 }), 1000);
  t.true(Number.isFinite(series.samples[0]!.eventsPerSecond));
});

test('The lag of a period is its 99th percentile, of the last 1,024 events, and nothing where none came', (t) => {
  const lag = new Lag();
  t.is(lag.take(), null);
  lag.record(-5);
  t.is(lag.take(), 0);
  for (let i = 1; i <= 100; i += 1) lag.record(i);
  t.is(lag.take(), 99);
  for (let i = 0; i < 5000; i += 1) lag.record(i < 3000 ? 1000 : 1);
  t.is(lag.take(), 1);
  t.is(lag.take(), null);
});
