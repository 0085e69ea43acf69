import test, { type ExecutionContext } from 'ava';
import { createAwaited } from '../../../src/browser/awaited.js';
import { createConnection } from '../../../src/browser/connection.js';
import { parts } from '../../../src/browser/load.js';
import { createMember } from '../../../src/browser/room.js';
import { topics1 } from '../../../src/browser/topics/topics.js';
import type { ConnectOptions } from '../../../src/browser/types.js';
import { ENDPOINT } from './simulated-connection.js';
import { settle } from './simulated-page.js';
import { startPage } from './simulated-tabs.js';

parts.topics = async () => ({ topics1 });

/** A tab, with its connection and what its callbacks got. They all are in one process, so that what is fired at the window is no one's. */
async function tab(options: ConnectOptions = {}) {
  const connection = createConnection(ENDPOINT, ENDPOINT, options, createAwaited());
  const got: string[] = [];
  const errors: string[] = [];
  connection.told.listeners.add({
    onMessage: ({ type }) => got.push(type),
    onDisconnect: () => got.push('disconnected'),
    onError: ({ type }) => errors.push(type),
  });
  await settle();
  return { connection, got, errors };
}

const CONNECTED = { type: 'connected', key: 'ada.1', heartbeat: 4000 };

/** Two tabs: the first leads, and the second follows it. */
async function two(t: ExecutionContext) {
  const { page } = startPage(t);
  const leader = await tab();
  page.sources[0]!.frame(CONNECTED, '0-a');
  page.sources[0]!.frame({ type: 'old' }, '5-a');
  await settle();
  const follower = await tab();
  page.sources[1]!.frame(CONNECTED, '0-b');
  // The leader's stream must stay heard meanwhile.
  for (let n = 0; n < 4; n += 1) {
    await page.pass(1000);
    page.sources[0]!.frame({ type: 'heartbeat' }, `0-c${n}`);
  }
  await settle();
  return { page, leader, follower };
}

test.serial('Tabs of one user share a stream: what it brings, and what it does, is told in both', async (t) => {
  const { page, leader, follower } = await two(t);
  t.is(page.sources[1]!.readyState, 2);
  page.source.frame({ type: 'news' }, '7-d');
  await settle();
  t.deepEqual(
    [leader.got, follower.got],
    [
      ['connected', 'old', 'news'],
      ['connected', 'news'],
    ],
  );
  t.deepEqual([leader.connection.lastId, follower.connection.lastId], ['7-d', '7-d']);
  page.source.fail();
  await settle();
  t.is(follower.connection.told.state.state, 'waiting');
  t.is(follower.got.at(-1), 'disconnected');
  t.deepEqual(follower.errors, ['error']);
  await page.pass(1000);
  page.source.frame({ ...CONNECTED, resuming: true }, '0-e');
  await settle();
  t.is(follower.connection.told.state.state, 'open');
  t.is(follower.got.at(-1), 'connected');
});

test.serial('Where the tab that leads is closed, the other goes on from its place', async (t) => {
  const { page, leader, follower } = await two(t);
  page.source.frame({ type: 'news' }, '7-d');
  await settle();
  leader.connection.close(false);
  await settle();
  t.is(page.source.url.searchParams.get('lastEventId'), '7-d');
  page.source.frame({ ...CONNECTED, resuming: true }, '0-e');
  page.source.frame({ type: 'old' }, '5-f');
  page.source.frame({ type: 'news' }, '7-f');
  page.source.frame({ type: 'more' }, '8-f');
  t.deepEqual(follower.got, ['connected', 'news', 'more']);
});

test.serial('A tab that does not share, or has another key of its own, has a stream of its own', async (t) => {
  const { page } = startPage(t);
  for (const options of [{}, { shareTabs: false }, { shareKey: 'other' }, { shareKey: 'third' }]) {
    await tab(options);
    page.sources.at(-1)!.frame(CONNECTED, '0-a');
    await page.pass(2000);
  }
  t.deepEqual(
    page.sources.map(({ readyState }) => readyState),
    [1, 1, 1, 1],
  );
});

test.serial('A tab that looks asks the leader, which has a new stream where its own is silent', async (t) => {
  const { page } = await two(t);
  await page.pass(4100);
  page.happen('online');
  await settle();
  t.is(page.sources.length, 3);
});

test.serial('What a tab that follows wants the leader’s stream asks for', async (t) => {
  const { page, follower } = await two(t);
  const member = createMember('room:7');
  const said: unknown[] = [];
  member.room.on('said', ({ n }) => said.push(n));
  follower.connection.join(member);
  await page.pass(2000);
  const next = page.sources.at(-1)!;
  t.deepEqual(next.url.searchParams.getAll('topic'), ['room:7']);
  t.is(next.url.searchParams.get('shareKey'), '1');
  next.frame({ ...CONNECTED, resuming: true, topics: ['room:7'] }, '0-e');
  await settle();
  t.is(member.room.state, 'joined');
  next.frame({ type: 'said', ':topic': 'room:7', n: 1 }, '7-f');
  await settle();
  t.deepEqual(said, [1]);
});

test.serial('Tabs whose user the server does not name share nothing', async (t) => {
  const { page } = startPage(t);
  for (const _ of [1, 2]) {
    await tab();
    page.sources.at(-1)!.frame({ type: 'connected', heartbeat: 4000 }, '0-a');
  }
  await page.pass(4000);
  t.deepEqual(
    page.sources.map(({ readyState }) => readyState),
    [1, 1],
  );
});

test.serial('A tab that resumes keeps its stream until it has all that it missed', async (t) => {
  const { page } = startPage(t);
  await tab();
  page.sources[0]!.frame(CONNECTED, '0-a');
  await tab({ lastEventId: '3-x' });
  page.sources[1]!.frame({ ...CONNECTED, resuming: true }, '0-b');
  await page.pass(4000);
  t.is(page.sources[1]!.readyState, 1);
  page.sources[1]!.frame(CONNECTED, '0-c');
  await page.pass(3100);
  t.is(page.sources[1]!.readyState, 2);
});

test.serial('A tab whose leader is suspended takes over, by the heartbeats that it misses', async (t) => {
  const { page, channels } = startPage(t);
  await tab();
  page.sources[0]!.frame(CONNECTED, '0-a');
  await tab();
  page.sources[1]!.frame(CONNECTED, '0-b');
  await page.pass(3100);
  Object.assign(channels[0]!, { onmessage: null, postMessage() {} });
  for (let n = 0; n < 16; n += 1) {
    page.sources[0]!.frame({ type: 'heartbeat' }, `0-c${n}`);
    await page.pass(1000);
  }
  t.is(page.sources.length, 3);
});

test.serial(
  'A tab that joins learns which topics the leader’s stream has, and follows for its own rooms',
  async (t) => {
    const { page } = startPage(t);
    const joined = { ...CONNECTED, resuming: true, topics: ['room:7'] };
    const leader = await tab();
    page.source.frame(CONNECTED, '0-a');
    leader.connection.join(createMember('room:7'));
    await page.pass(1000);
    page.sources.at(-1)!.frame(joined, '0-b');
    page.source.frame(CONNECTED, '0-c');
    const { connection } = await tab();
    const member = createMember('room:7');
    connection.join(member);
    await page.pass(1000);
    const own = page.sources.at(-1)!;
    own.frame({ ...CONNECTED, topics: ['room:7'] }, '0-d');
    await page.pass(3500);
    t.is(own.readyState, 2);
    t.is(member.room.state, 'joined');
  },
);
