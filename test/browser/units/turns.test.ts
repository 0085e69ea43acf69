import test from 'ava';
import { joinGroup } from '../../../src/browser/tabs/group.js';
import { settle } from './simulated-page.js';
import { pair, startPage, tab } from './simulated-tabs.js';

test.serial(
  'A tab that joins later does not prolong the time after which another follows, nor is it itself hurried',
  async (t) => {
    const { page } = startPage(t);
    const [first, second, third] = [tab(), tab(), tab()];
    await first.connect();
    await second.connect();
    await second.event(9);
    await first.event(9);
    await page.pass(1500);
    await third.connect();
    await second.connect();
    await page.pass(1600);
    t.deepEqual([second.tabs.role, third.tabs.role], ['following', 'electing']);
    await page.pass(1500);
    t.is(third.tabs.role, 'following');
    await page.pass(5000);
    t.deepEqual([second.calls, third.calls], [['close'], ['close']]);
  },
);

test.serial('A tab that no leader has welcomed stays as it is', async (t) => {
  const { page } = startPage(t);
  const first = tab();
  await first.connect();
  first.tabs.covered();
  await page.pass(4000);
  t.is(first.tabs.role, 'leading');
  t.deepEqual([first.calls, first.states], [[], []]);
});

test.serial('What a leader passes on before it has welcomed a tab is not for that tab', async (t) => {
  startPage(t);
  const [first, second] = [tab(), tab()];
  await first.connect();
  second.tabs.connected('ada.1', false, 4000);
  await first.event(6);
  t.deepEqual(second.shown, []);
});

test.serial(
  'Where the leader goes before another tab follows, that one goes on from the leader’s place, not from its own',
  async (t) => {
    const { page } = startPage(t);
    const [first, second] = [tab(), tab()];
    await first.connect();
    first.host.lastId = '5-p';
    await second.connect();
    await page.pass(1000);
    await second.event(9);
    first.tabs.leave();
    await settle();
    t.is(second.tabs.role, 'leading');
    t.deepEqual(second.calls, ['open']);
    t.is(second.host.lastId, '5-p');
  },
);

test.serial('A tab whose own stream was cut off leads once that stream stands again', async (t) => {
  startPage(t);
  const [first, second] = [tab(), tab()];
  await first.connect();
  await second.connect();
  second.tabs.changed({ state: 'waiting' });
  first.tabs.leave();
  await settle();
  t.is(second.tabs.role, 'electing');
  await second.connect();
  t.is(second.tabs.role, 'leading');
});

test.serial('A resume of its own ends the time in which a tab goes beside the leader', async (t) => {
  const { page } = startPage(t);
  const [first, second] = [tab(), tab()];
  await first.connect();
  await second.connect();
  await page.pass(1000);
  await second.connect('ada.1', { resuming: true });
  await page.pass(4000);
  t.is(second.tabs.role, 'electing');
  t.deepEqual(second.calls, []);
});

test.serial('Each leader’s term is higher than that of the one before, however soon it follows', async (t) => {
  const { page } = startPage(t);
  const { first, second } = await pair(page);
  const third = tab();
  await third.connect();
  await page.pass(3100);
  first.tabs.leave();
  await settle();
  second.tabs.leave();
  await settle();
  t.is(third.tabs.role, 'leading');
  const other = joinGroup('x ada.1', { elected() {}, deposed() {}, heard() {} })!;
  // That of the second, as no time has passed since.
  other.post(Date.now(), 'alive', '');
  await settle();
  t.is(third.tabs.role, 'leading');
  other.leave();
});

test.serial('A leader that resumes for all follows whoever has taken over meanwhile', async (t) => {
  const { page } = startPage(t);
  const first = tab();
  await first.connect();
  await first.connect('ada.1', { resuming: true });
  const other = joinGroup('x ada.1', { elected() {}, deposed() {}, heard() {} })!;
  other.post(Date.now() * 2, 'welcome', '7-p', [], []);
  await settle();
  t.is(first.tabs.role, 'electing');
  await page.pass(3100);
  t.is(first.tabs.role, 'following');
  t.is(first.host.lastId, '7-p');
  other.leave();
});

test.serial('A tab that gave up the lead waits for the next leader’s own welcome', async (t) => {
  const { page } = startPage(t);
  const { first, second } = await pair(page);
  const third = tab();
  await third.connect();
  await page.pass(3100);
  first.tabs.leave();
  await settle();
  await second.connect();
  second.tabs.catchUp();
  await settle();
  t.deepEqual([second.tabs.role, third.tabs.role], ['electing', 'leading']);
  third.tabs.changed({ state: 'connecting' });
  await second.connect();
  await page.pass(4000);
  t.is(second.tabs.role, 'electing', 'whose the new leader’s stream is, is not known yet');
  await third.connect();
  await page.pass(3100);
  t.is(second.tabs.role, 'following');
});

test.serial('A tab that becomes another user’s leaves the tabs of the first', async (t) => {
  startPage(t);
  const [first, second] = [tab(), tab()];
  await first.connect('ada.1');
  await second.connect('ada.1');
  await second.connect('bob.1');
  t.is(second.tabs.role, 'leading');
  await first.event(6);
  t.deepEqual(second.shown, []);
});

test.serial(
  'A leader asks nobody whether it lives; who follows takes over at the fourth second without an answer',
  async (t) => {
    const { page, channels } = startPage(t);
    const { first, second } = await pair(page);
    const heard: string[] = [];
    const other = joinGroup('x ada.1', { elected() {}, deposed() {}, heard: ([what]) => heard.push(what) })!;
    for (let n = 0; n < 20; n += 1) {
      await page.pass(1000);
      first.tabs.tick();
    }
    t.deepEqual(heard, []);
    channels[0]!.onmessage = null;
    second.tabs.look();
    for (let n = 0; n < 3; n += 1) second.tabs.tick();
    await settle();
    t.is(second.tabs.role, 'following');
    second.tabs.tick();
    await settle();
    t.is(second.tabs.role, 'leading');
    other.leave();
  },
);
