import test from 'ava';
import { ActivityCounter, type ActivityLevel } from '../../src/activity/counter.js';
import { Envelope } from '../../src/event/envelope.js';

const event = (id: number, xid: number | null = 9) => new Envelope(id, xid, 'public', null, 't', 0, '{}');

const make = (level: ActivityLevel, max = 100) => Object.assign(new ActivityCounter(max), { level });

test('What has no place is dropped and counted, and there is place again when somebody took', (t) => {
  const counter = make('summary', 3);
  for (let id = 1; id <= 5; id += 1) {
    counter.dispatched(event(id));
    counter.sent(event(id), '7', 10);
  }
  t.is(counter.size, 3);
  t.is(counter.dropped, 4);
  t.deepEqual(
    counter.take(2).map((step) => step.event),
    [1, 2],
  );
  counter.dispatched(event(6));
  t.deepEqual(
    counter.take(100).map(({ event: id, status }) => [id, status]),
    [
      [3, 'sent'],
      [6, 'dispatched'],
    ],
  );
  t.is(counter.size, 0);
});

test('With full, users beyond the bound are counted together', (t) => {
  const counter = make('full', 3);
  counter.dispatched(event(1));
  for (const user of ['a', 'b', 'c', 'd', 'a']) counter.sent(event(1), user, 1);
  t.is(counter.size, 3);
  t.is(counter.dropped, 2);
  t.deepEqual(
    counter.take(1).map(({ status, userId, recipients }) => [status, userId, recipients]),
    [
      ['dispatched', null, null],
      ['sent', null, 2],
      ['sent', 'a', 2],
      ['sent', 'b', 1],
    ],
  );
  t.is(counter.size, 0);
});

test('Nothing is told while it is off, or of an event that is not stored', (t) => {
  const off = make('off');
  off.dispatched(event(1));
  off.sent(event(1), null, 1);
  off.receiveFailed(event(1));
  const summary = make('summary');
  summary.dispatched(event(2, null));
  t.is(off.size + summary.size, 0);
});
