import { mock } from 'node:test';
import test from 'ava';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Hub } from '../../src/clients/hub.js';
import { Item } from '../../src/event/item.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import type { Histogram } from '../../src/lib/histogram.js';
import { History } from '../../src/stream/history.js';
import { Resume } from '../../src/stream/resume/resume.js';
import { openClient } from '../clients/open-client.js';
import { at, event, progress } from './simulated-storage.js';
import { metricsOf } from './stages.js';

/** How long everything takes that a resume waits for: each write, and each reading from storage. */
const STEP = 250;

const POSITION = packPosition('here', 9, at(30));

/** An instance with a history from transaction 10 on, and whose clients come back. Its time passes as STEP says. */
function instance(t: { teardown(call: () => void): void }, { reset }: { reset?: string } = {}) {
  let now = 1000;
  const clock = mock.method(performance, 'now', () => now);
  t.teardown(() => clock.mock.restore());
  const hub = new Hub({
    heartbeat: 60_000,
    writeTimeout: 60_000,
    position: () => POSITION,
    activity: new ActivityCounter(10),
  });
  const history = new History(1000, 1_000_000);
  history.startAt(10, 7);
  const items = [8, 9].map(
    (sequence) =>
      new Item(
        sequence,
        event(sequence + 4),
        packPosition('here', sequence, at(sequence + 5)),
        sequence,
        packPosition('here', sequence - 1, at(sequence + 4)),
      ),
  );
  for (const item of items) history.push(item);
  const resume = new Resume({
    history,
    hub,
    limit: 100,
    hooks: { receive: (envelope) => envelope },
    source: {
      order: 'here',
      position: POSITION,
      reached: at(50),
      catchUp: async () => {},
      async readSince(_since, _client, _from, onBatch) {
        now += STEP;
        if (reset !== undefined) return { reset };
        await onBatch([event(5)]);
        return progress(5, true);
      },
      readRecent: () => Promise.reject(new Error('there is no crowd')),
    },
  });
  const enter = () => {
    const opened = openClient({ onClose: (one) => hub.leave(one) });
    const texts: string[] = [];
    const { write } = opened.connection;
    opened.connection.write = (chunk) => {
      now += STEP;
      texts.push(`${chunk}`);
      return write(chunk);
    };
    hub.admit(opened.client);
    t.teardown(() => hub.leave(opened.client));
    return { ...opened, texts };
  };
  const metrics = metricsOf(resume);
  const durations = () => metrics()['djr_resume_duration_seconds source'] as Record<string, Histogram>;
  const counts = () =>
    Object.entries(durations()).flatMap(([origin, { counts, sum }]) => {
      const count = counts.reduce((all, one) => all + one, 0);
      return count > 0 ? [`${origin} ${count} ${sum}`] : [];
    });
  return { resume, hub, items, enter, counts, durations, behind: () => metrics().djr_fell_behind_total };
}

/** From an id of an instance's order. */
const after = (position: string) => ({ last: parsePosition(`0-${position}`)!, position });

test.serial('How long a resume took counts for where the events came from, in seconds', async (t) => {
  const { resume, enter, counts } = instance(t);
  const memory = enter();
  await resume.run(memory.client, after(packPosition('here', 7, at(10))));
  t.deepEqual(memory.written, [12, 13]);
  t.true(memory.client.live);
  t.deepEqual(counts(), ['memory 1 0.25']);
  const history = enter();
  await resume.run(history.client, after(packPosition('there', 3, at(13))));
  t.deepEqual(history.written, [13]);
  t.regex(counts()[1]!, /^history 1 0\.\d+$/);
  const storage = enter();
  await resume.run(storage.client, after(packPosition('there', 3, at(5))));
  t.deepEqual(storage.written.slice(0, 1), [5]);
  t.true(storage.client.live);
  t.regex(counts()[2]!, /^storage 1 (?:0\.[5-9]|1)/);
  t.is(counts().length, 3);
});

test.serial(
  'A client whose events cannot be had is told so, with the position, and is live; that counts as a reset',
  async (t) => {
    const { resume, enter, counts, hub } = instance(t, { reset: 'pruned' });
    const { client, texts, written } = enter();
    await resume.run(client, after(packPosition('there', 3, at(5))));
    t.deepEqual(texts, [`id: 0-${POSITION}\ndata: {"type":"reset","reason":"pruned"}\n\n`]);
    t.true(client.live);
    t.deepEqual(counts(), ['reset 1 0.25']);
    hub.deliver(new Item(10, event(20), POSITION));
    hub.flush();
    t.deepEqual(written, [20]);
    const other = enter();
    resume.reset(other.client, 'storage is off');
    t.regex(other.texts[0]!, /"storage is off"/);
    t.true(other.client.live);
    t.deepEqual(counts(), ['reset 2 0.25'], 'it waited for nothing');
  },
);

test.serial('A client that is gone before its resume ends is not measured', async (t) => {
  const { resume, enter, counts } = instance(t);
  const { client } = enter();
  client.close('client');
  await resume.run(client, after(packPosition('here', 7, at(10))));
  t.deepEqual(counts(), []);
  t.false(client.live);
});

test.serial(
  'A client that fell behind goes on with the item that it lacks, which is counted and not measured',
  async (t) => {
    const { resume, items, enter, behind, counts } = instance(t);
    t.is(behind(), 0);
    const { client, written } = enter();
    await resume.behind(client, items[1]!);
    t.deepEqual(written, [13]);
    t.true(client.live);
    t.is(behind(), 1);
    t.deepEqual(counts(), []);
    const unreadable = new Item(9, event(13), POSITION, 9, 'p');
    await t.throwsAsync(resume.behind(client, unreadable), { message: /an id of this instance cannot be read/ });
  },
);

test.serial('A client that fell behind so far that nobody has the events is told so', async (t) => {
  const { resume, enter, counts } = instance(t, { reset: 'pruned' });
  const { client, texts } = enter();
  await resume.behind(client, new Item(3, event(4), POSITION, 3, packPosition('here', 2, at(4))));
  t.regex(texts[0]!, /"reset","reason":"pruned"/);
  t.true(client.live);
  t.deepEqual(counts(), ['reset 1 0']);
});

test.serial('Durations are told apart from a millisecond to half a minute', (t) => {
  const { durations } = instance(t);
  t.deepEqual(Object.keys(durations()), ['memory', 'history', 'storage', 'reset']);
  for (const { bounds } of Object.values(durations())) {
    t.deepEqual(bounds, [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]);
  }
});
