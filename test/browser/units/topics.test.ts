import test, { type ExecutionContext } from 'ava';
import { parts } from '../../../src/browser/load.js';
import { createMember } from '../../../src/browser/room.js';
import { topics1 } from '../../../src/browser/topics/topics.js';
import type { JoinOptions } from '../../../src/browser/types.js';
import { names, openConnection } from './simulated-connection.js';
import { settle, simulatePage } from './simulated-page.js';

parts.topics = async () => ({ topics1 });

/** A page with a stream of its own that has joined a room; `got` has what the room's callbacks got. */
async function joined(t: ExecutionContext, options: JoinOptions = {}) {
  const page = simulatePage(t);
  const opened = openConnection();
  const { connection } = await opened;
  const got: unknown[] = [];
  const join = async (topic: string, more: JoinOptions = options) => {
    const { room, ...member } = createMember(topic, more);
    const all = Object.assign(member, { room });
    room.on('said', ({ n }) => got.push(n));
    room.on('presence', ({ joined: came, left }) => got.push([came, left]));
    connection.join(all);
    await settle();
    return room;
  };
  page.source.frame({ type: 'connected' }, '0-a');
  const room = await join('room:7');
  await page.pass(100);
  return { page, connection, join, room, got };
}

/** The streams that are not closed. */
const open = ({ sources }: ReturnType<typeof simulatePage>) => sources.filter(({ readyState }) => readyState !== 2);

test.serial('A page that joins a topic has a stream that brings it, and loses nothing on the way to it', async (t) => {
  const { page, connection, room, got } = await joined(t);
  const [old, next] = open(page);
  t.deepEqual(next!.url.searchParams.getAll('topic'), ['room:7']);
  t.is(next!.url.searchParams.get('shareKey'), '1');
  t.is(room.state, 'joining');
  old!.frame({ type: 'news' }, '7-b');
  next!.frame({ type: 'connected', resuming: true, topics: ['room:7'] }, '0-c');
  t.is(room.state, 'joined');
  t.is(old!.readyState, 2);
  page.source.frame({ type: 'news' }, '7-d');
  page.source.frame({ type: 'said', ':topic': 'room:7', n: 1 }, '8-d');
  page.source.frame({ type: 'said', ':topic': 'room:8', n: 2 }, '9-d');
  t.deepEqual(names(page), ['djr:connected', 'djr:news', 'djr:said']);
  t.deepEqual(got, [1]);
  t.is(connection.lastId, '9-d');
});

test.serial('A page that lost a topic, or whose connection is closed, has left its room', async (t) => {
  const { page, connection, room, join } = await joined(t);
  open(page)[1]!.frame({ type: 'connected', resuming: true, topics: ['room:7'] }, '0-c');
  page.source.frame({ type: 'left', topic: 'room:7', reason: 'kicked' });
  t.is(room.state, 'left');
  t.deepEqual(page.fired.at(-1), ['djr:left', { type: 'left', topic: 'room:7', reason: 'kicked' }]);
  const other = await join('room:8');
  t.is(other.state, 'joining');
  connection.close(true);
  t.is(other.state, 'left');
  t.is((await join('room:9')).state, 'left');
});

test.serial('A room that is left before the part that knows topics is there is not asked for', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  const member = createMember('room:7');
  connection.join(member);
  member.room.leave();
  await page.pass(1000);
  t.is(page.sources.length, 1);
  t.is(member.room.state, 'left');
});

test.serial('Who hears a topic is told to its rooms', async (t) => {
  const { page, room, got } = await joined(t);
  open(page)[1]!.frame({ type: 'connected', resuming: true, topics: ['room:7'] }, '0-c');
  page.source.frame({ type: 'presence', topic: 'room:7', users: ['ada'], count: 1 });
  page.source.frame({ type: 'presence', topic: 'room:7', joined: ['bob'], left: ['ada'], count: 1 });
  t.deepEqual(got, [
    [['ada'], []],
    [['bob'], ['ada']],
  ]);
  t.deepEqual(room.presence?.users, ['bob']);
});

test.serial('A room that begins at an earlier place gets what is repeated for it; no other does', async (t) => {
  const { page, got, join } = await joined(t);
  open(page)[1]!.frame({ type: 'connected', resuming: true, topics: ['room:7'] }, '0-c');
  page.source.frame({ type: 'said', ':topic': 'room:7', n: 1 }, '7-d');
  page.source.frame({ type: 'news' }, '8-d');
  const late: unknown[] = [];
  const room = await join('room:7', { since: '5:5:' });
  room.on('said', ({ n }) => late.push(n));
  await page.pass(1200);
  const [, next] = open(page);
  t.is(next!.url.searchParams.get('since.room:7'), '5:5:');
  next!.frame({ type: 'connected', resuming: true, topics: ['room:7'] }, '0-e');
  next!.frame({ type: 'said', ':topic': 'room:7', n: 1 }, '7-f');
  next!.frame({ type: 'news' }, '8-f');
  next!.frame({ type: 'said', ':topic': 'room:7', n: 2 }, '9-f');
  t.deepEqual(late, [1, 2]);
  t.deepEqual(got.slice(0, 1), [1]);
  t.deepEqual(
    names(page).filter((name) => name !== 'djr:connected'),
    ['djr:said', 'djr:news', 'djr:said'],
    'the page itself has each event once',
  );
});

test.serial('An answer that does not begin where a topic must begin is no answer', async (t) => {
  const { page, room } = await joined(t, { since: '5:5:' });
  const before = page.sources.length;
  open(page)[1]!.frame({ type: 'connected', topics: ['room:7'] }, '0-c');
  t.is(room.state, 'joining');
  open(page)[1]!.frame({ type: 'said', ':topic': 'room:7' }, '7-d');
  await page.pass(1000);
  t.true(page.sources.length > before, 'it is asked for again');
});

test.serial('A seal is renewed before it ends', async (t) => {
  let n = 0;
  const seal = async () => {
    n += 1;
    return `seal ${n}`;
  };
  const { page, room } = await joined(t, { seal });
  const [, next] = open(page);
  t.deepEqual(next!.url.searchParams.getAll('seal'), ['seal 1']);
  next!.frame({ type: 'connected', resuming: true, topics: ['room:7'], expires: { 'room:7': 10 } }, '0-c');
  t.is(room.state, 'joined');
  await page.pass(7900);
  t.is(n, 1);
  await page.pass(1100);
  t.is(n, 2);
});
