import test from 'ava';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Hub } from '../../src/clients/hub.js';
import { Ahead } from '../../src/event/ahead.js';
import { EVERYBODY, topicAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import { History } from '../../src/stream/history.js';
import { type ResumeFrom, type ResumeTools, Resumption } from '../../src/stream/resume/resumption.js';
import { Sender } from '../../src/stream/resume/sender.js';
import { openClient } from '../clients/open-client.js';

const ROOM = topicAudience('room:7');
const at = (xmax: number, ...inProgress: number[]) => new Frontier('e', 1000, inProgress[0] ?? xmax, xmax, inProgress);

const event = (id: number, xid: number | null, topic: string | null = null, createdAt = 900): Envelope =>
  new Envelope(id, xid, topic === null ? 'public' : 'topic', null, 'note', createdAt, '{}', topic);

type Storage = Pick<ResumeTools['storage'], 'read' | 'readAudience'>;

/** An instance with a history from transaction 10 on, and a client that comes back to it. */
function instance(storage: Partial<Storage> = {}) {
  const hub = new Hub({
    heartbeat: 60_000,
    writeTimeout: 60_000,
    position: () => 'p',
    activity: new ActivityCounter(10),
  });
  const history = new History(1000, 1_000_000);
  history.startAt(10, 0);
  const ids: string[] = [];
  const client = openClient({ audiences: [EVERYBODY, ROOM], onClose: (one) => hub.leave(one) });
  const { write } = client.connection;
  client.connection.write = (chunk) => {
    ids.push(...[...`${chunk}`.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!.split('..')[0]!));
    return write(chunk);
  };
  hub.admit(client.client);
  let sequence = 0;
  const deliver = (...envelopes: Envelope[]) => {
    for (const envelope of envelopes) {
      sequence += 1;
      history.push(new Item(sequence, envelope, packPosition('here', sequence, at(10))));
    }
  };
  const asked: string[] = [];
  const source = {
    order: 'here',
    position: packPosition('here', 99, at(30)),
    reached: at(30),
    catchUp: async () => void asked.push('catchUp'),
  };
  const tools = {
    hub,
    history,
    sender: new Sender(),
    source,
    storage: {
      read: async () => {
        asked.push('read');
        throw new Error('nothing is read');
      },
      ...storage,
    },
  } as unknown as ResumeTools;
  const run = (from: ResumeFrom) => new Resumption(client.client, from, tools).run();
  return { ...client, hub, history, source, deliver, asked, ids, run };
}

/** From a last id. */
function last(order: string, sequence: number, frontier: Frontier, ...named: Envelope[]): ResumeFrom {
  const ahead = new Ahead(frontier);
  for (const one of named) ahead.add(one);
  const position = packPosition(order, sequence, frontier, ahead.packed);
  return { last: parsePosition(`1-${position}`)!, position };
}

/** From a snapshot that the page has read. */
const snapshot = (frontier: Frontier, starts?: ResumeFrom['starts']): ResumeFrom => ({
  frontier,
  position: packPosition('0', 0, frontier),
  starts,
});

test('A client that was here gets what came behind its sequence number, and is live', async (t) => {
  const { client, deliver, written, asked, run, hub } = instance();
  deliver(event(1, 10), event(2, 11), event(3, 9), event(4, null));
  t.is(await run(last('here', 1, at(10))), 'memory');
  t.deepEqual(written, [2, 3, 4], 'whatever its frontier says');
  t.true(client.live);
  t.deepEqual(asked, []);
  hub.leave(client);
});

test('Many events are sent in portions, each once', async (t) => {
  const { client, deliver, written, run, hub } = instance();
  for (let id = 1; id <= 200; id += 1) deliver(event(id, 10 + id));
  t.is(await run(last('here', 50, at(10))), 'memory');
  t.deepEqual(
    written,
    Array.from({ length: 150 }, (_, n) => 51 + n),
  );
  hub.leave(client);
});

test('A client of another instance gets what is new since its frontier, and what its id does not name', async (t) => {
  const { client, deliver, written, ids, source, run, hub } = instance();
  const named = event(3, 21);
  deliver(event(1, 12), event(2, 20), named, event(4, 13));
  t.is(await run(last('there', 4, at(20, 13), named)), 'history');
  t.deepEqual(written, [2, 4]);
  t.is(ids.at(-1), `0-${source.position}`, 'its last id moves on');
  t.true(client.live);
  hub.leave(client);
});

test('A client that has got what this instance has not yet waits for it', async (t) => {
  const ahead = instance();
  await ahead.run(last('there', 4, at(31)));
  t.deepEqual(ahead.asked, ['catchUp']);
  const named = instance();
  await named.run(last('there', 4, at(20), event(3, 21)));
  t.deepEqual(named.asked, ['catchUp'], 'what its id names counts as well');
  const here = instance();
  here.deliver(event(1, 11));
  await here.run(last('here', 1, at(31)));
  t.deepEqual(here.asked, [], 'what it got here is here');
  for (const { client, hub } of [ahead, named, here]) hub.leave(client);
});

test('What the history no longer has is read from storage, and only what came since from the history', async (t) => {
  const from: unknown[] = [];
  const { client, deliver, written, ids, run, hub } = instance({
    async read(one, since, id, lacks) {
      from.push(since.xmax, id.position);
      const items = [event(1, 5), event(2, 6)].map((envelope) => new Item(0, envelope, id.position));
      one.sendAll(items.filter(lacks));
      return { frontier: at(20), before: 0 };
    },
  });
  deliver(event(2, 6), event(3, 19), event(4, 20));
  const came = at(5);
  t.is(await run(snapshot(came)), 'storage');
  t.deepEqual(from, [5, packPosition('0', 0, came)]);
  t.deepEqual(written, [1, 2, 4]);
  t.true(client.live);
  t.is(ids.length, 3, 'its id is not moved past what the history still has for it');
  hub.leave(client);
});

test('Where storage has all, the id of the client moves to the snapshot, with no place in this instance’s order', async (t) => {
  const { client, ids, run, hub, asked } = instance({ read: async () => ({ frontier: at(40), before: 0 }) });
  t.is(await run(snapshot(at(5))), 'storage');
  t.deepEqual(ids, [`0-${packPosition('0', 0, at(40))}`]);
  t.deepEqual(asked, ['catchUp'], 'once, as this instance may not have delivered all of it');
  hub.leave(client);
});

test('Why storage does not have it is the answer, and the client is not live', async (t) => {
  const { client, run, hub } = instance({ read: async () => ({ reset: 'pruned' }) });
  t.deepEqual(await run(snapshot(at(5))), { reset: 'pruned' });
  t.false(client.live);
  hub.leave(client);
});

test('A client that is gone is sent nothing more', async (t) => {
  const { client, deliver, written, run, asked } = instance();
  deliver(event(1, 12));
  client.close('client');
  t.is(await run(snapshot(at(5))), 'memory');
  t.deepEqual([written, asked], [[], []]);
});

test('A topic whose state the page has read begins behind that, and the rest where the stream does', async (t) => {
  const { client, deliver, written, run, hub } = instance();
  deliver(event(1, 11, 'room:7'), event(2, 12), event(3, 13, 'room:7'), event(4, 14), event(5, 15, 'room:7'));
  t.is(await run({ ...last('there', 1, at(12)), starts: new Map([[ROOM, at(14)]]) }), 'history');
  t.deepEqual(written, [2, 4, 5]);
  hub.leave(client);
});

test('A topic that begins before the stream does is filled from there: each event once', async (t) => {
  const named = event(5, 20, 'room:7');
  const events = [event(1, 11, 'room:7'), event(2, 14), event(3, 13, 'room:7'), event(4, 16, 'room:7'), named];
  for (const from of [last('there', 9, at(15), named), last('here', 3, at(15))]) {
    const { client, deliver, written, run, hub } = instance();
    deliver(...events);
    await run({ ...from, starts: new Map([[ROOM, at(13)]]) });
    t.deepEqual([...written].sort(), [3, 4, 5]);
    t.is(written[0], 3);
    hub.leave(client);
  }
});

test('A topic that begins before the history does is filled from storage', async (t) => {
  const asked: unknown[] = [];
  const { client, deliver, written, run, hub } = instance({
    async readAudience(one, audience, start, _id, lacks) {
      asked.push(audience, start.xmax);
      for (const envelope of [event(1, 6, 'room:7'), event(2, 14, 'room:7')]) {
        const item = new Item(0, envelope, 'p');
        if (lacks(item)) one.send(item);
      }
    },
  });
  deliver(event(2, 14, 'room:7'));
  t.is(await run({ ...last('there', 9, at(12)), starts: new Map([[ROOM, at(5)]]) }), 'history');
  t.deepEqual(asked, [ROOM, 5]);
  t.deepEqual(written, [1, 2]);
  hub.leave(client);
});
