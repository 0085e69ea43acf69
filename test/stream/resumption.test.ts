import { mock } from 'node:test';
import test from 'ava';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Client } from '../../src/clients/client.js';
import { Hub } from '../../src/clients/hub.js';
import { EVERYBODY } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import { packPosition } from '../../src/event/position.js';
import { History } from '../../src/stream/history.js';
import { Resume } from '../../src/stream/resume/resume.js';
import { connectionTo } from '../helpers/connection.js';

/** An event of a transaction, inserted at a time. */
const event = (id: number, xid: number | null, createdAt: number): Envelope =>
  new Envelope(id, xid, 'public', null, 'note', createdAt, '{}');

/**
 * A client comes back with a frontier, and storage is read in a snapshot, while the instance delivers events that go into its
 * history. Which of those are news to the client?
 *
 * @returns the numbers of the events that it got, in order
 */
async function resumed(
  came: Frontier,
  snapshot: Frontier,
  stored: Envelope[],
  meanwhile: Envelope[],
  {
    reached = newer,
    catchUp = () => Promise.reject(new Error('there is nothing to wait for')),
  }: { reached?: Frontier; catchUp?: () => Promise<void> } = {},
): Promise<number[]> {
  const activity = new ActivityCounter(10);
  const position = () => '0.0.0';
  const hub = new Hub({ heartbeat: 60_000, writeTimeout: 60_000, position, activity });
  const history = new History(100, 1_000_000);
  let text = '';
  const connection = connectionTo((chunk) => {
    text += chunk;
  });
  const client = new Client({
    userId: null,
    audiences: [EVERYBODY],
    connection,
    incoming: { request: () => new Request('http://localhost/') },
    types: null,
    named: false,
    maxBytes: 1_000_000,
    beforeSend: undefined,
    onSent() {},
    onClose() {},
  });
  hub.admit(client);
  const resume = new Resume({
    history,
    hub,
    limit: 1000,
    hooks: { receive: (envelope) => envelope },
    source: {
      order: 'here',
      position: position(),
      reached,
      catchUp,
      async readSince(_since, _client, _from, onBatch) {
        for (const [i, envelope] of meanwhile.entries()) history.push(new Item(i + 1, envelope, position()));
        await onBatch(stored);
        return { frontier: snapshot, last: { xid: 0, id: 0 }, done: true };
      },
      readRecent: () => Promise.reject(new Error('there is no crowd')),
    },
  });
  await resume.run(client, { frontier: came, position: packPosition('0', 0, came) });
  hub.leave(client);
  return [...text.matchAll(/^id: ([1-9]\d*)-/gm)].map((match) => Number(match[1]));
}

const came = new Frontier('e', 1000, 10, 12, [10]);
const snapshot = new Frontier('e', 2000, 15, 20, [15]);
const newer = new Frontier('e', 3000, 25, 30, [25]);

test('What storage has shown is not sent again from history', async (t) => {
  const [one, two] = [event(1, 12, 1500), event(2, 13, 1500)];
  t.deepEqual(await resumed(came, snapshot, [one, two], [two, one, event(3, 20, 1990)]), [1, 2, 3]);
  const lastMoment = event(1, 12, 2000);
  t.deepEqual(await resumed(came, snapshot, [lastMoment], [lastMoment]), [1], 'within the millisecond of the reading');
});

test('What the client had before it came is not sent from history, where only a late sweep has put it', async (t) => {
  t.deepEqual(await resumed(came, snapshot, [], [event(1, 9, 900), event(2, 11, 900)]), []);
});

test('What the client had from another instance is not sent from history, where the reading that it shares is older than it', async (t) => {
  t.deepEqual(await resumed(newer, snapshot, [], [event(1, 22, 2500), event(2, 25, 2500), event(3, 22, 3500)]), [2, 3]);
});

test('What was in progress in the reading’s snapshot is sent from history, though it was inserted before', async (t) => {
  t.deepEqual(await resumed(came, snapshot, [event(2, 12, 1500)], [event(1, 15, 1200), event(3, 21, 1900)]), [2, 1, 3]);
});

test('A transaction id that comes again after a crash is sent from history: it is younger than the snapshot', async (t) => {
  const before = event(1, 13, 1500);
  const [again, long] = [event(2, 13, 2500), event(3, 9, 2500)];
  t.deepEqual(await resumed(came, snapshot, [before], [before, again, long]), [1, 2, 3]);
});

test('An event without a row is sent from history: storage cannot have shown it', async (t) => {
  t.deepEqual(await resumed(came, snapshot, [event(1, 12, 1500)], [event(2, null, 1500)]), [1, 2]);
});

test.serial(
  'Where the instance does not come to what the client has, the client waits for some seconds and not longer',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.teardown(() => mock.timers.reset());
    let asked = 0;
    const catchUp = () => {
      asked += 1;
      return new Promise<void>(() => {});
    };
    let done = false;
    const missed = resumed(newer, snapshot, [event(1, 30, 3500)], [], { reached: snapshot, catchUp });
    void missed.then(() => {
      done = true;
    });
    mock.timers.tick(2000);
    await new Promise(setImmediate);
    t.false(done);
    mock.timers.tick(10_000);
    t.deepEqual(await missed, [1]);
    t.is(asked, 1);
  },
);
