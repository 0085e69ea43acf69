import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import { ActivityCounter } from '../../../src/activity/counter.js';
import { Hub } from '../../../src/clients/hub.js';
import { Presence, type PresenceCount } from '../../../src/clients/topics/presence.js';
import { topicAudience } from '../../../src/event/audience.js';
import { recordingLogger } from '../../helpers/server.js';
import { clock, enter } from './simulated-topics.js';

/** Presence with a database and a clock that are the test's: users stay for two seconds without a stream. */
function open(t: ExecutionContext) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  t.teardown(() => mock.timers.reset());
  const move = clock(t);
  const hub = new Hub({
    heartbeat: 60_000,
    writeTimeout: 60_000,
    position: () => 'p',
    activity: new ActivityCounter(10),
  });
  const { logger, lines } = recordingLogger();
  const said = {
    reports: [] as { counts: string[]; afresh: boolean }[],
    asked: [] as string[][],
    users: {} as Record<string, string[]>,
    fails: undefined as 'report' | 'usersOf' | undefined,
  };
  const presence = new Presence({
    hub,
    logger,
    grace: 2000,
    store: {
      async report(counts: readonly PresenceCount[], afresh) {
        if (said.fails === 'report') throw new Error('away');
        said.reports.push({
          counts: counts.map(({ topic, userId, streams }) => `${topic}:${userId}:${streams}`),
          afresh,
        });
      },
      async usersOf(topics) {
        if (said.fails === 'usersOf') throw new Error('away');
        said.asked.push([...topics].sort());
        return new Map(topics.map((topic) => [topic, said.users[topic] ?? []]));
      },
    },
  });
  presence.start();
  t.teardown(() => void presence.stop());
  const come = (userId: string | null, ...topics: string[]) => {
    const one = enter(hub, userId, topics);
    presence.came(one.client);
    t.teardown(() => hub.leave(one.client));
    const told = () => one.texts.splice(0).map((text) => JSON.parse(text.slice(6)));
    return { ...one, told };
  };
  const pass = async (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 500) {
      move(Math.min(500, left));
      mock.timers.tick(Math.min(500, left));
      for (let n = 0; n < 3; n += 1) await new Promise(setImmediate);
    }
  };
  return { presence, come, pass, said, lines, reports: () => said.reports.splice(0) };
}

test.serial('What is here is written in batches: each user’s streams, in all and of each topic', async (t) => {
  const { presence, come, pass, reports } = open(t);
  come('ada', 'a', 'b');
  come('ada', 'a');
  come('bob', 'a');
  come(null, 'a');
  t.is(presence.users, 2);
  await pass(1000);
  t.deepEqual(reports(), [{ counts: [':ada:2', 'a:ada:2', 'b:ada:1', ':bob:1', 'a:bob:1'], afresh: true }]);
  const more = come('ada');
  await pass(1000);
  t.deepEqual(reports(), [{ counts: [':ada:3'], afresh: false }]);
  presence.went(more.client);
  await pass(1000);
  t.deepEqual(reports(), [{ counts: [':ada:2'], afresh: false }]);
  await pass(5000);
  t.deepEqual(reports(), []);
  presence.resync();
  await pass(1000);
  t.deepEqual(
    reports().map(({ afresh, counts }) => [afresh, counts.length]),
    [[true, 5]],
  );
});

test.serial('A user without a stream is present for a while, and is not gone who comes back in time', async (t) => {
  const { presence, come, pass, reports } = open(t);
  const { client } = come('ada', 'a');
  await pass(1000);
  reports();
  presence.went(client);
  await pass(1000);
  const again = come('ada', 'a');
  await pass(5000);
  t.deepEqual(reports(), [], 'nothing has changed');
  presence.went(again.client);
  t.is(presence.users, 1);
  presence.resync();
  await pass(500);
  t.deepEqual(reports()[0]?.counts, [':ada:1', 'a:ada:1'], 'it is present still');
  await pass(1000);
  await pass(1000);
  reports();
  t.is(presence.users, 0);
});

test.serial('A client is told all users of its topics, and then who comes and goes', async (t) => {
  const { presence, come, pass, said } = open(t);
  said.users = { a: ['ada', 'bob'] };
  const ada = come('ada', 'a');
  await pass(1000);
  t.deepEqual(ada.told(), [{ type: 'presence', topic: 'a', users: ['ada', 'bob'], count: 2 }]);
  said.users = { a: ['ada', 'cy'] };
  presence.heard(['b']);
  await pass(1000);
  t.deepEqual(ada.told(), []);
  presence.heard(['a', 'b']);
  await pass(1000);
  t.deepEqual(ada.told(), [{ type: 'presence', topic: 'a', joined: ['cy'], left: ['bob'], count: 2 }]);
  const anonymous = come(null, 'a', 'b');
  await pass(1000);
  t.deepEqual(ada.told(), []);
  t.deepEqual(
    anonymous.told().sort((one, other) => (one.topic < other.topic ? -1 : 1)),
    [
      { type: 'presence', topic: 'a', users: ['ada', 'cy'], count: 2 },
      { type: 'presence', topic: 'b', users: [], count: 0 },
    ],
  );
  presence.left(anonymous.client, 'b');
  said.asked.length = 0;
  presence.heard(['b']);
  presence.heard(null);
  await pass(1000);
  t.deepEqual(said.asked, [['a']]);
});

test.serial('All topics are read again after 15 seconds, whether a message named them or not', async (t) => {
  const { come, pass, said } = open(t);
  come('ada', 'a');
  await pass(2000);
  said.asked.length = 0;
  await pass(12_000);
  t.deepEqual(said.asked, []);
  await pass(4000);
  t.deepEqual(said.asked, [['a']]);
});

test.serial('Of more than 200 users only the number is told; of fewer again the whole list', async (t) => {
  const { presence, come, pass, said } = open(t);
  const users = (count: number) => Array.from({ length: count }, (_, n) => `u${n}`);
  said.users = { a: users(200) };
  const first = come(null, 'a');
  await pass(1000);
  t.is(first.told()[0].users.length, 200);
  const change = async (to: string[]) => {
    said.users = { a: to };
    presence.heard(['a']);
    await pass(1000);
    return first.told()[0];
  };
  t.deepEqual(await change(users(199)), { type: 'presence', topic: 'a', joined: [], left: ['u199'], count: 199 });
  await change(users(200));
  t.deepEqual(await change(users(201)), { type: 'presence', topic: 'a', joined: ['u200'], left: [], count: 201 });
  const second = come(null, 'a');
  await pass(1000);
  t.deepEqual(second.told(), [{ type: 'presence', topic: 'a', count: 201 }]);
  t.deepEqual(await change(users(402)), { type: 'presence', topic: 'a', count: 402 });
  t.deepEqual(await change(['x']), { type: 'presence', topic: 'a', users: ['x'], count: 1 });
  const { joined, left } = await change(users(199));
  t.deepEqual([joined.length, left.length], [199, 1]);
  await change(users(402));
  t.is((await change(users(200))).users.length, 200);
});

test.serial(
  'What cannot be written or read is tried again, with all that comes meanwhile, and said once',
  async (t) => {
    const { come, pass, said, lines, reports } = open(t);
    said.fails = 'report';
    come('ada', 'a');
    await pass(1000);
    come('bob', 'a');
    await pass(1000);
    said.fails = 'usersOf';
    said.users = { a: ['ada'] };
    const late = come(null, 'a');
    await pass(1000);
    t.deepEqual(late.told(), []);
    said.fails = undefined;
    await pass(1000);
    t.deepEqual(reports()[0], { counts: [':ada:1', 'a:ada:1', ':bob:1', 'a:bob:1'], afresh: true });
    t.deepEqual(late.told(), [{ type: 'presence', topic: 'a', users: ['ada'], count: 1 }]);
    t.deepEqual(
      lines
        .filter(({ level }) => level !== 'debug')
        .map(({ level, message, context }) => [level, message, (context.err as Error)?.message]),
      [
        ['warn', 'presence could not be told or read; will try again', 'away'],
        ['info', 'presence is kept again', undefined],
      ],
    );
  },
);

test.serial('A client that has lost the topic meanwhile is told nothing', async (t) => {
  const { presence, come, pass } = open(t);
  const one = come('ada', 'a');
  one.client.audiences = one.client.audiences.without(topicAudience('a'));
  const gone = come('bob', 'a');
  gone.client.closed = true;
  await pass(1000);
  t.deepEqual([one.told(), gone.told()], [[], []]);
  presence.left(one.client, 'a');
});

test.serial(
  'Where one of a topic’s clients leaves, the others are told all the same, also what this instance itself has changed',
  async (t) => {
    const { presence, come, pass, said, lines } = open(t);
    said.users = { a: ['ada'] };
    const [one, other, ada] = [come(null, 'a'), come(null, 'a'), come('ada', 'a')];
    await pass(1000);
    t.deepEqual([one.told().length, other.told().length], [1, 1]);
    presence.left(one.client, 'a');
    presence.went(ada.client);
    said.users = { a: [] };
    await pass(4000);
    t.deepEqual(other.told(), [{ type: 'presence', topic: 'a', joined: [], left: ['ada'], count: 0 }]);
    t.deepEqual(lines, []);
  },
);

test.serial('After a loss of the connection all topics are read again, and after the end nothing is', async (t) => {
  const { presence, come, pass, said } = open(t);
  come(null, 'a');
  await pass(1000);
  said.asked.length = 0;
  presence.resync();
  await pass(1000);
  t.deepEqual(said.asked, [['a']]);
  const stopped = presence.stop();
  await pass(500);
  await stopped;
  presence.resync();
  await pass(2000);
  t.is(said.asked.length, 1);
});
