import test, { type ExecutionContext } from 'ava';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Hub } from '../../src/clients/hub.js';
import { EVERYBODY } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import { History } from '../../src/stream/history.js';
import { Resume } from '../../src/stream/resume/resume.js';
import { openClient } from '../clients/open-client.js';

/** The frontier of an instance that has delivered so many events, each of a transaction of its own. */
const after = (count: number) => new Frontier('e', 1000 + count, count + 1, count + 1, []);

const positionAt = (sequence: number) => packPosition('here', sequence, after(sequence));

/** The event with this number, which its transaction has as well. */
const event = (n: number) => new Envelope(n, n, 'public', null, 'note', 1000 + n, '{}');

/** An instance whose history has few events, and one client of it. */
function instance(t: ExecutionContext, maxEvents: number) {
  const activity = new ActivityCounter(10);
  let delivered = 0;
  const position = () => positionAt(delivered);
  const hub = new Hub({ heartbeat: 60_000, writeTimeout: 60_000, position, activity });
  const history = new History(maxEvents, 1_000_000);
  history.startAt(0);
  const { client, connection, state } = openClient({ userId: null, audiences: [EVERYBODY], maxBytes: 1_000_000 });
  let text = '';
  const take = connection.write;
  connection.write = (chunk) => {
    text += chunk;
    return take(chunk);
  };
  hub.admit(client);
  t.teardown(() => hub.leave(client));
  const readings: number[] = [];
  const resume = new Resume({
    history,
    hub,
    limit: 10_000,
    hooks: { receive: (envelope) => envelope },
    source: {
      order: 'here',
      get position() {
        return position();
      },
      get reached() {
        return after(delivered);
      },
      async catchUp() {},
      async readSince(since, _client, _from, onBatch) {
        readings.push(since.xmax);
        const stored = Array.from({ length: delivered }, (_, i) => event(i + 1));
        await onBatch(stored.filter(({ xid }) => since.isNew(xid!)));
        return { frontier: after(delivered), last: { xid: 0, id: 0 }, done: true };
      },
      readRecent: () => Promise.reject(new Error('there is no crowd')),
    },
  });
  return {
    client,
    /** Of the readings from storage, the first transaction that each asked for. */
    readings,
    publish(count: number) {
      for (let n = 0; n < count; n += 1) {
        delivered += 1;
        history.push(new Item(delivered, event(delivered), position()));
      }
    },
    resume(sequence: number) {
      const last = parsePosition(`0-${positionAt(sequence)}`)!;
      return resume.run(client, { last, position: positionAt(sequence) });
    },
    pause() {
      state.waits = true;
    },
    goOn() {
      state.waits = false;
      connection.buffered = 0;
      connection.onDrain?.();
    },
    /** Event and order of each frame with an event. */
    frames() {
      return [...text.matchAll(/^id: ([1-9]\d*)-(\w+)\./gm)].map((match) => ({ n: Number(match[1]), order: match[2] }));
    },
  };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('A client whose place in the order the history has lost goes on by its frontier, and no id has that place', async (t) => {
  const { frames, publish, readings, resume } = instance(t, 10);
  publish(50);
  await resume(20);
  t.deepEqual(readings, [21]);
  t.deepEqual(
    frames(),
    numbers(21, 50).map((n) => ({ n, order: '0' })),
  );
});

test('A client that follows the order more slowly than the history forgets goes on behind what it has got', async (t) => {
  const { frames, goOn, pause, publish, readings, resume } = instance(t, 200);
  publish(200);
  pause();
  const resumed = resume(0);
  await new Promise(setImmediate);
  const got = frames();
  t.is(got.at(-1)?.order, 'here');
  publish(200);
  goOn();
  await resumed;
  const last = got.length;
  t.deepEqual(readings, [last + 1]);
  t.deepEqual(frames(), [...got, ...numbers(last + 1, 400).map((n) => ({ n, order: '0' }))]);
});

test('A client that has got the last event of the order is live at once, however many others resume', async (t) => {
  const { client, frames, publish, resume } = instance(t, 100);
  publish(5);
  const resumed = resume(2);
  t.true(client.live);
  t.is(frames().at(-1)?.n, 5);
  await resumed;
});
