import test from 'ava';
import { joinGroup } from '../../../src/browser/tabs/group.js';
import { roleAfter } from '../../../src/browser/tabs/role.js';
import { settle } from './simulated-page.js';
import { pair, startPage, tab } from './simulated-tabs.js';

test.serial('A leader that is closed is followed by the next tab, which goes on where it was', async (t) => {
  const { page } = startPage(t);
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
  const { page } = startPage(t);
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
  const { page } = startPage(t);
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
  const { page, channels } = startPage(t);
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
  t.is(second.host.lastId, '1-p');
  // It hears nothing any more, as a tab that is suspended.
  channels[0]!.onmessage = null;
  await tick(11);
  t.is(second.tabs.role, 'following');
  await tick(5);
  t.is(second.tabs.role, 'leading');
  t.is(second.calls.at(-1), 'open');
});

test.serial('What an earlier leader still says is not believed', async (t) => {
  const { page } = startPage(t);
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
  const { page } = startPage(t);
  const { first, second } = await pair(page);
  const [third, fourth] = [tab(), tab()];
  await third.connect();
  await page.pass(3100);
  await fourth.connect();
  second.tabs.leave(true);
  await settle();
  t.deepEqual(first.calls, ['open']);
  t.deepEqual(third.calls, ['close'], 'one that follows has no stream');
  t.deepEqual(fourth.calls, ['open']);
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
  const { page } = startPage(t);
  const { first, second } = await pair(page);
  const third = tab();
  await third.connect();
  await page.pass(3100);
  t.is(third.tabs.role, 'following');
  third.state.topics = true;
  third.asked.length = 0;
  first.tabs.leave();
  await settle();
  t.is(third.host.lastId, '1-p');
  t.deepEqual([second.tabs.role, third.tabs.role], ['leading', 'following']);
  second.tabs.changed({ state: 'connecting' });
  await second.event(20);
  t.deepEqual(third.shown, [], 'whose its new stream is, is not known yet');
  await second.connect();
  await second.event(21);
  t.deepEqual(third.shown, [['event 21', '21-p', false]]);
  t.is(third.asked.filter((call) => call === 'tell').length, 1, 'a new leader is told once what it wants');
  third.state.topics = false;
  second.tabs.leave(true);
  await settle();
  t.is(third.tabs.role, 'leading');
  t.true(third.calls.includes('open'), 'after a logout it is asked anew whose the stream is');
});

test.serial('A tab that leads and has to catch up lets another one lead', async (t) => {
  const { page } = startPage(t);
  const { first, second } = await pair(page);
  first.tabs.catchUp();
  await settle();
  t.deepEqual([first.tabs.role, second.tabs.role], ['electing', 'leading']);
  t.deepEqual(first.calls, [], 'its stream goes on');
});

test.serial('A look asks the leader, or looks at the tab’s own stream', async (t) => {
  const { page } = startPage(t);
  const { first, second } = await pair(page);
  const third = tab();
  await third.connect();
  await page.pass(3100);
  third.tabs.look(1000);
  await settle();
  t.deepEqual(first.calls, ['look']);
  t.deepEqual(second.calls, ['close']);
  first.tabs.look(1000);
  t.deepEqual(first.calls, ['look', 'look 1000']);
});
