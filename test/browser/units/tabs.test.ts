import test from 'ava';
import { createSeen } from '../../../src/browser/seen.js';
import { joinGroup } from '../../../src/browser/tabs/group.js';
import { roleAfter } from '../../../src/browser/tabs/role.js';
import { createTabs, type Host } from '../../../src/browser/tabs/tabs.js';
import type { Topics } from '../../../src/browser/topics/contract.js';
import type { Want } from '../../../src/browser/topics/words.js';
import { Locks } from './locks.js';
import { settle, simulatePage } from './simulated-page.js';

/** A tab whose stream is the test: what it shows, and what its stream is doing. */
function tab(name = 'x') {
  const shown: [text: string, id: string, repeat: boolean][] = [];
  const states: string[] = [];
  const calls: string[] = [];
  /** What the part that knows topics was called for; without it: undefined. */
  const asked: string[] = [];
  const topics = new Proxy({} as Topics, {
    get: (_, called: string) => {
      return () => {
        asked.push(called);
        return called === 'all' ? state.wants : undefined;
      };
    },
  });
  const state = { topics: false, covered: true, wants: [] as [string, Want[]][] };
  const host: Host = {
    lastId: '',
    seen: createSeen(),
    get topics() {
      return state.topics ? topics : undefined;
    },
    withTopics: (call) => call(topics),
    covered: () => state.covered,
    open: () => void calls.push('open'),
    close: () => void calls.push('close'),
    look: (silence) => void calls.push(silence === undefined ? 'look' : `look ${silence}`),
    show: (text, id, repeat) => void shown.push([text, id, repeat]),
    state: ({ state }) => void states.push(state),
  };
  const tabs = createTabs(host, name);
  return {
    tabs,
    host,
    shown,
    states,
    calls,
    asked,
    state,
    /** Its own stream stands. */
    async connect(key = 'ada.1', { resuming = false, heartbeat = 4000 } = {}) {
      tabs.connected(key, resuming, heartbeat);
      await settle();
    },
    /** An event on its own stream. */
    async event(event: number) {
      const id = `${event}-p`;
      host.lastId = id;
      tabs.frame(`event ${event}`, id, event, !host.seen.add(event), false);
      await settle();
    },
  };
}

/** Two tabs of which the first leads and the second follows. */
async function pair(page: ReturnType<typeof simulatePage>) {
  const [first, second] = [tab(), tab()];
  await first.connect();
  first.host.lastId = '1-p';
  await second.connect();
  await page.pass(3000);
  return { first, second };
}

function start(t: Parameters<typeof simulatePage>[0]) {
  const page = simulatePage(t);
  Object.assign(globalThis, { isSecureContext: true });
  Object.assign(navigator, { locks: new Locks() });
  const channels: BroadcastChannel[] = [];
  const Channel = BroadcastChannel;
  Object.assign(globalThis, {
    BroadcastChannel: class extends Channel {
      constructor(name: string) {
        super(name);
        channels.push(this);
      }
    },
  });
  t.teardown(() => {
    for (const channel of channels) channel.close();
    Object.assign(globalThis, { BroadcastChannel: Channel });
    Reflect.deleteProperty(globalThis, 'isSecureContext');
  });
  return { page, channels };
}

test.serial(
  'The first tab leads with its stream; the second follows once both streams have stood side by side',
  async (t) => {
    const { page } = start(t);
    const [first, second] = [tab(), tab()];
    await first.connect();
    t.is(first.tabs.role, 'leading');
    first.host.lastId = '5-p';
    first.host.seen.add(5);
    await second.connect();
    t.is(second.tabs.role, 'electing');
    await page.pass(2900);
    t.deepEqual(second.calls, [], 'its own stream stays for three seconds');
    await page.pass(200);
    t.is(second.tabs.role, 'following');
    t.deepEqual(second.calls, ['close']);
    t.deepEqual(second.states, ['open']);
    t.is(second.host.lastId, '5-p');
    t.true(second.host.seen.has(5), 'what the leader has seen is seen');
    await first.event(6);
    t.deepEqual(second.shown, [['event 6', '6-p', false]]);
    t.is(second.host.lastId, '6-p');
    first.tabs.frame('a reset', '0-q', 0, false, false);
    first.tabs.frame('event 6', '6-r', 6, true, false);
    await settle();
    t.deepEqual(second.shown.slice(1), [
      ['a reset', '0-q', false],
      ['event 6', '6-r', true],
    ]);
  },
);

test.serial('In the overlap what comes on both streams is shown once', async (t) => {
  const { page } = start(t);
  const [first, second] = [tab(), tab()];
  await first.connect();
  await second.connect();
  await second.event(6);
  await first.event(6);
  await first.event(7);
  first.tabs.frame('a reset', '0-q', 0, false, false);
  await settle();
  // The caller shows what its own stream brings.
  t.deepEqual(second.shown, [
    ['event 6', '6-p', true],
    ['event 7', '7-p', false],
  ]);
  await page.pass(3000);
  t.is(second.tabs.role, 'following');
});

test.serial(
  'A tab that is ahead of the leader keeps its stream until the leader has passed on what it has',
  async (t) => {
    const { page } = start(t);
    const [first, second] = [tab(), tab()];
    await first.connect();
    await second.connect();
    await second.event(9);
    await page.pass(3100);
    t.is(second.tabs.role, 'electing');
    await first.event(9);
    await page.pass(3100);
    t.is(second.tabs.role, 'following');
  },
);

test.serial('Tabs of another user, of another name, or of nobody known do not share', async (t) => {
  const { page } = start(t);
  const [first, other, named, unknown] = [tab(), tab(), tab('y'), tab()];
  await first.connect('ada.1');
  await other.connect('bob.1');
  await named.connect('ada.1');
  await unknown.connect('');
  await page.pass(5000);
  t.deepEqual(
    [first, other, named, unknown].map(({ tabs }) => tabs.role),
    ['leading', 'leading', 'leading', 'alone'],
  );
  await first.event(6);
  for (const { shown } of [other, named, unknown]) t.deepEqual(shown, []);
});

test.serial('Without Web Locks, a channel or a secure page each tab is alone', async (t) => {
  const { page } = start(t);
  const Channel = BroadcastChannel;
  const roleOf = async () => {
    const one = tab();
    await one.connect();
    return one.tabs.role;
  };
  Object.assign(globalThis, { isSecureContext: false });
  t.is(await roleOf(), 'alone');
  Object.assign(globalThis, { isSecureContext: true, BroadcastChannel: undefined });
  t.is(await roleOf(), 'alone');
  Object.assign(globalThis, { BroadcastChannel: Channel });
  Object.assign(navigator, { locks: undefined });
  t.is(await roleOf(), 'alone');
  await page.pass(1000);
});

test.serial('A leader that is closed is followed by the next tab, which goes on where it was', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  await first.event(8);
  first.tabs.leave();
  await settle();
  t.is(second.tabs.role, 'leading');
  t.deepEqual(second.calls, ['close', 'open']);
  t.is(second.host.lastId, '8-p');
  t.is(first.tabs.role, 'alone');
});

test.serial('A follower passes nothing on; a leader does, but for what is its own', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  second.tabs.frame('mine', '9-p', 9, false, false);
  second.tabs.alive();
  second.tabs.changed({ state: 'waiting' });
  await settle();
  t.deepEqual(first.shown, []);
  t.deepEqual(first.states, []);
  first.tabs.frame('own', '9-p', 9, false, true);
  await settle();
  t.deepEqual(second.shown, []);
  t.is(second.host.lastId, '9-p', 'it moves the others on all the same');
  first.host.lastId = '10-p';
  first.tabs.alive();
  await settle();
  t.is(second.host.lastId, '10-p');
});

test.serial("What the leader's stream is doing is what those who follow are told", async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  first.tabs.changed({ state: 'waiting' });
  await settle();
  t.is(second.states.at(-1), 'waiting');
  first.tabs.changed({ state: 'open' });
  await settle();
  t.is(second.states.at(-1), 'waiting', 'it is open when its server has said so');
  await first.event(11);
  t.deepEqual(second.shown, [], 'whose the stream is now is not known yet');
  await first.connect();
  t.is(second.states.at(-1), 'open');
  await first.event(12);
  t.is(second.shown.length, 1);
});

test.serial('A leader that is silent for too long is asked, and loses its part where it does not answer', async (t) => {
  const { page, channels } = start(t);
  const { first, second } = await pair(page);
  const tick = async (times: number) => {
    for (let n = 0; n < times; n += 1) {
      await page.pass(1000);
      second.tabs.tick();
      await settle();
    }
  };
  await tick(9);
  t.false(first.calls.includes('look'));
  await tick(2);
  t.true(first.calls.includes('look'), 'it is asked, and looks at its own stream');
  t.is(second.tabs.role, 'following', 'it has answered');
  // It hears nothing any more, as a tab that is suspended.
  channels[0]!.onmessage = null;
  await tick(11);
  t.is(second.tabs.role, 'following');
  await tick(5);
  t.is(second.tabs.role, 'leading');
  t.is(second.calls.at(-1), 'open');
});

test.serial('What an earlier leader still says is not believed', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  first.tabs.leave();
  await settle();
  t.is(second.tabs.role, 'leading');
  const other = joinGroup('x ada.1', { elected() {}, deposed() {}, heard() {} })!;
  other.post(1, 'frame', 'of before', '20-p', false);
  other.post(1, 'welcome', '20-p', [], []);
  await settle();
  t.is(second.tabs.role, 'leading');
  t.deepEqual(second.shown, []);
  other.post(Date.now() * 2, 'alive', '');
  await settle();
  t.is(second.tabs.role, 'electing', 'of a later one everything is');
  other.leave();
});

test.serial('A logout in one tab makes the one that leads ask anew whose its stream is', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  second.tabs.leave(true);
  await settle();
  t.deepEqual(first.calls, ['open']);
});

test.serial('A tab that still catches up neither leads nor follows before it is level', async (t) => {
  const { page } = start(t);
  const first = tab();
  await first.connect('ada.1', { resuming: true });
  t.is(first.tabs.role, 'electing');
  await first.connect('ada.1');
  t.is(first.tabs.role, 'leading');
  const second = tab();
  await second.connect('ada.1', { resuming: true });
  await page.pass(5000);
  t.is(second.tabs.role, 'electing');
  await second.connect('ada.1');
  await page.pass(3100);
  t.is(second.tabs.role, 'following');
});

test('A page is what it may be after each thing that happens', (t) => {
  t.is(roleAfter('alone', 'met'), 'electing');
  t.is(roleAfter('electing', 'elected'), 'leading');
  t.is(roleAfter('electing', 'welcomed'), 'following');
  t.is(roleAfter('leading', 'deposed'), 'electing');
  t.is(roleAfter('leading', 'behind'), 'electing');
  t.is(roleAfter('following', 'elected'), 'leading');
  t.is(roleAfter('following', 'behind'), 'electing');
  t.is(roleAfter('following', 'welcomed'), 'following');
  t.is(roleAfter('alone', 'elected'), 'alone');
  t.is(roleAfter('alone', 'welcomed'), 'alone');
  for (const role of ['alone', 'electing', 'leading', 'following'] as const) t.is(roleAfter(role, 'left'), 'alone');
});

test.serial('A third tab follows whoever leads next, and gets what that one passes on', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  const third = tab();
  await third.connect();
  await page.pass(3100);
  t.is(third.tabs.role, 'following');
  first.tabs.leave();
  await settle();
  t.deepEqual([second.tabs.role, third.tabs.role], ['leading', 'following']);
  second.tabs.changed({ state: 'connecting' });
  await second.event(20);
  t.deepEqual(third.shown, [], 'whose its new stream is, is not known yet');
  await second.connect();
  await second.event(21);
  t.deepEqual(third.shown, [['event 21', '21-p', false]]);
  second.tabs.leave(true);
  await settle();
  t.is(third.tabs.role, 'leading');
  t.true(third.calls.includes('open'), 'after a logout it is asked anew whose the stream is');
});

test.serial(
  'A tab that follows and has to catch up opens a stream of its own, and follows again behind it',
  async (t) => {
    const { page } = start(t);
    const { first, second } = await pair(page);
    second.tabs.catchUp();
    t.is(second.tabs.role, 'electing');
    t.deepEqual(second.calls, ['close', 'open']);
    await page.pass(5000);
    t.is(second.tabs.role, 'electing', 'it is not level before its stream has said so');
    await second.connect();
    await page.pass(3100);
    t.is(second.tabs.role, 'following');
    t.is(first.tabs.role, 'leading');
  },
);

test.serial('A tab that leads and has to catch up lets another one lead', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  first.tabs.catchUp();
  await settle();
  t.deepEqual([first.tabs.role, second.tabs.role], ['electing', 'leading']);
  t.deepEqual(first.calls, [], 'its stream goes on');
});

test.serial('What tabs say of topics goes to the part that knows them', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  t.deepEqual(second.asked, []);
  second.tabs.post('want', 'me', []);
  await settle();
  t.deepEqual(first.asked, ['hear']);
  first.tabs.post('grant', {} as never);
  await settle();
  t.deepEqual(second.asked, ['hear']);
  first.state.topics = true;
  first.state.wants = [['a', []]];
  const third = tab();
  await third.connect();
  t.false(third.asked.includes('learn'), 'nobody wants any');
  first.state.wants = [
    ['a', []],
    ['b', [['room:7', '', '']]],
  ];
  await third.connect();
  t.true(third.asked.includes('learn'));
  third.state.covered = false;
  await page.pass(6000);
  t.is(third.tabs.role, 'electing', 'the leader does not hear all that this page wants');
  third.state.covered = true;
  third.tabs.covered();
  await page.pass(3100);
  t.is(third.tabs.role, 'following');
});

test.serial('A look asks the leader, or looks at the tab’s own stream', async (t) => {
  const { page } = start(t);
  const { first, second } = await pair(page);
  second.tabs.look(1000);
  await settle();
  t.deepEqual(first.calls, ['look']);
  t.deepEqual(second.calls, ['close']);
  first.tabs.look(1000);
  t.deepEqual(first.calls, ['look', 'look 1000']);
});

test.serial('A leader whose stream does not stand welcomes nobody; its own stream’s end ends an overlap', async (t) => {
  const { page } = start(t);
  const [first, second] = [tab(), tab()];
  await first.connect();
  first.tabs.changed({ state: 'waiting' });
  await second.connect();
  await page.pass(5000);
  t.is(second.tabs.role, 'electing');
  await first.connect();
  await page.pass(2000);
  second.tabs.changed({ state: 'waiting' });
  await page.pass(5000);
  t.is(second.tabs.role, 'electing');
  await second.connect();
  await page.pass(3100);
  t.is(second.tabs.role, 'following');
});
