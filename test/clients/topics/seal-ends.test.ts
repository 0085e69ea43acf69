import { mock } from 'node:test';
import test from 'ava';
import type { Client } from '../../../src/clients/client.js';
import { SealEnds } from '../../../src/clients/topics/seal-ends.js';
import { type Audience, topicAudience } from '../../../src/event/audience.js';
import { AudienceSet } from '../../../src/event/audience-set.js';

const NEVER = Number.POSITIVE_INFINITY;

/** The time and the timers of the process, both the test's: `pass` lets each timer that is set run once, so many milliseconds later. */
function clockOf(t: { teardown(call: () => void): void }) {
  let now = 1000;
  const timers = new Set<{ run(): void; unref(): unknown }>();
  const mocks = [
    mock.method(performance, 'now', () => now),
    mock.method(globalThis, 'setInterval', (run: () => void) => {
      const timer = { run, unref: () => timer };
      timers.add(timer);
      return timer;
    }),
    mock.method(globalThis, 'clearInterval', (timer: never) => timers.delete(timer)),
  ];
  t.teardown(() => {
    for (const one of mocks) one.mock.restore();
  });
  return {
    timers,
    pass(milliseconds: number) {
      now += milliseconds;
      for (const timer of [...timers]) timer.run();
    },
  };
}

/** What watches permissions, and what it has said of them. */
function watcher() {
  const ended: string[] = [];
  const ends = new SealEnds((client, audience) => ended.push(`${client.userId} ${audience}`));
  const watch = (userId: string, permissions: Record<string, number>) => {
    const audiences = new Map(Object.entries(permissions).map(([topic, end]) => [topicAudience(topic), end]));
    const client = { userId, audiences: new AudienceSet([...audiences.keys()]) } as Client;
    ends.watch(client, (audience: Audience) => audiences.get(audience)!);
    return client;
  };
  return { ended, ends, watch };
}

test.serial('Each permission of a client ends at its time, to the millisecond, and once', (t) => {
  const { pass } = clockOf(t);
  const { ended, watch } = watcher();
  watch('ada', { a: 1500, b: 2000, c: NEVER, d: 1500 });
  watch('bob', { a: 2000 });
  pass(499);
  t.deepEqual(ended, []);
  pass(1);
  t.deepEqual(ended, ['ada t:a', 'ada t:d']);
  pass(499);
  t.is(ended.length, 2);
  pass(1);
  t.deepEqual(ended.slice(2), ['ada t:b', 'bob t:a']);
  pass(10_000);
  t.is(ended.length, 4);
});

test.serial(
  'Permissions that do not end need no timer; the others share one, which goes with the last of them',
  (t) => {
    const { pass, timers } = clockOf(t);
    const { ended, ends, watch } = watcher();
    const lasting = watch('ada', { a: NEVER });
    t.is(timers.size, 0);
    const clients = ['bob', 'cleo', 'dora'].map((userId) => watch(userId, { a: 2000, b: NEVER }));
    t.is(timers.size, 1);
    ends.forget(lasting);
    ends.forget(clients[0]!);
    t.is(timers.size, 1);
    pass(1000);
    t.deepEqual(ended, ['cleo t:a', 'dora t:a']);
    t.is(timers.size, 0, 'nothing of them ends any more');
    const next = watch('ewa', { a: 3000 });
    t.is(timers.size, 1, 'a timer is set again');
    ends.forget(next);
    t.is(timers.size, 0);
    pass(5000);
    t.is(ended.length, 2);
  },
);
