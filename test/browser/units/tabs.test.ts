import test from 'ava';
import { settle } from './simulated-page.js';
import { pair, startPage, tab } from './simulated-tabs.js';

test.serial(
  'The first tab leads with its stream; the second follows once both streams have stood side by side',
  async (t) => {
    const { page } = startPage(t);
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
    first.tabs.frame('another reset', '0-r', 0, false, false);
    for (const event of [12, 13]) await first.event(event);
    first.tabs.post('else' as never);
    await settle();
    t.deepEqual(second.shown.slice(1), [
      ['a reset', '0-q', false],
      ['event 6', '6-r', true],
      ['another reset', '0-r', false],
      ['event 12', '12-p', false],
      ['event 13', '13-p', false],
    ]);
    second.tabs.covered();
    await page.pass(4000);
    t.deepEqual(second.calls, ['close'], 'it follows already');
  },
);

test.serial('In the overlap what comes on both streams is shown once', async (t) => {
  const { page } = startPage(t);
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
  t.is(second.host.lastId, '6-p', 'its own stream has its own place');
  second.tabs.frame('a word', '0-r', 0, false, false);
  second.tabs.frame('event 5', '5-r', 5, true, false);
  first.tabs.changed({ state: 'open' });
  await page.pass(3000);
  t.is(second.tabs.role, 'following');
  t.deepEqual(second.states, ['open']);
});

test.serial(
  'A tab that is ahead of the leader keeps its stream until the leader has passed on what it has',
  async (t) => {
    const { page } = startPage(t);
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
  const { page } = startPage(t);
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
  const { page } = startPage(t);
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

test.serial('A tab that still catches up neither leads nor follows before it is level', async (t) => {
  const { page } = startPage(t);
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

test.serial(
  'A tab that follows and has to catch up opens a stream of its own, and follows again behind it',
  async (t) => {
    const { page } = startPage(t);
    const { first, second } = await pair(page);
    second.tabs.catchUp();
    t.is(second.tabs.role, 'electing');
    t.deepEqual(second.calls, ['close', 'open']);
    second.tabs.covered();
    await page.pass(5000);
    t.is(second.tabs.role, 'electing', 'it is not level before its stream has said so');
    await second.connect();
    await page.pass(3100);
    t.is(second.tabs.role, 'following');
    t.is(first.tabs.role, 'leading');
  },
);

test.serial('What tabs say of topics goes to the part that knows them', async (t) => {
  const { page } = startPage(t);
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

test.serial('A leader whose stream does not stand welcomes nobody; its own stream’s end ends an overlap', async (t) => {
  const { page } = startPage(t);
  const [first, second] = [tab(), tab()];
  await first.connect();
  first.tabs.changed({ state: 'waiting' });
  await second.connect();
  const third = tab();
  await third.connect();
  await page.pass(5000);
  t.deepEqual([second.tabs.role, third.tabs.role], ['electing', 'electing'], 'nor does one that only has a stream');
  third.tabs.leave();
  await first.connect();
  await page.pass(2000);
  second.tabs.changed({ state: 'waiting' });
  await page.pass(5000);
  t.is(second.tabs.role, 'electing');
  await second.connect();
  await page.pass(3100);
  t.is(second.tabs.role, 'following');
});
