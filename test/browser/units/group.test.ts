import test from 'ava';
import { joinGroup } from '../../../src/browser/tabs/group.js';
import { settle } from './simulated-page.js';
import { startPage } from './simulated-tabs.js';

/** A member of a group, and what befell it. */
function join(name = 'g') {
  const log: string[] = [];
  const group = joinGroup(name, {
    elected: () => log.push('elected'),
    deposed: () => log.push('deposed'),
    heard: ([what], term) => log.push(`${what} ${term}`),
  })!;
  return { group, log };
}

test.serial('The first member leads, then the one that has waited longest, and none that has left', async (t) => {
  startPage(t);
  const [first, second, third] = [join(), join(), join()];
  await settle();
  t.deepEqual([first.log, second.log, third.log], [['elected'], [], []]);
  second.group.leave();
  await settle();
  first.group.leave();
  await settle();
  t.deepEqual([first.log, second.log, third.log], [['elected'], [], ['elected']]);
  third.group.leave();
});

test.serial('Who takes the lock over leads; who had it is told once, and leads again in its turn', async (t) => {
  startPage(t);
  const [first, second, third] = [join(), join(), join()];
  await settle();
  second.group.takeOver();
  await settle();
  t.deepEqual([first.log, second.log, third.log], [['elected', 'deposed'], ['elected'], []]);
  second.group.giveWay();
  await settle();
  t.deepEqual([second.log, third.log], [['elected'], ['elected']], 'it waits behind the others, in one place');
  third.group.giveWay();
  await settle();
  t.deepEqual(first.log, ['elected', 'deposed', 'elected']);
  first.group.leave();
  await settle();
  t.deepEqual(second.log, ['elected', 'elected']);
  for (const { group } of [second, third]) group.leave();
});

test.serial('Where the browser forbids locks nobody is elected, and nobody asks again', async (t) => {
  startPage(t);
  let asked = 0;
  Object.assign(navigator.locks, {
    request: () => {
      asked += 1;
      return asked < 9 ? Promise.reject(new DOMException('forbidden', 'SecurityError')) : new Promise(() => {});
    },
  });
  const { group, log } = join();
  await settle();
  t.deepEqual([log, asked], [[], 1]);
  group.appear('me', () => log.push('ready'));
  group.watch('you', () => log.push('gone'));
  await settle();
  t.deepEqual(log, []);
  group.leave();
});

test.serial('Who appears is watched by name: the others of its group are told once it is gone', async (t) => {
  startPage(t);
  const [first, second, other] = [join(), join(), join('h')];
  await settle();
  first.group.appear('me', () => first.log.push('ready'));
  await settle();
  t.is(first.log.at(-1), 'ready');
  const gone: string[] = [];
  second.group.watch('me', () => gone.push('me'));
  second.group.watch('nobody', () => gone.push('nobody'));
  other.group.watch('me', () => gone.push('me in another group'));
  await settle();
  t.deepEqual(gone.splice(0), ['nobody', 'me in another group']);
  const third = join();
  third.group.watch('me', () => gone.push('after it has left itself'));
  await settle();
  third.group.leave();
  first.group.leave();
  await settle();
  t.deepEqual(gone, ['me']);
  second.group.appear('me', () => gone.push('the name is free'));
  await settle();
  t.is(gone.at(-1), 'the name is free');
  for (const { group } of [second, other]) group.leave();
});

test.serial('A message reaches the other members with its term, and nobody who has left', async (t) => {
  startPage(t);
  const [first, second, third, other] = [join(), join(), join(), join('h')];
  third.group.leave();
  first.group.post(7, 'ask');
  await settle();
  t.deepEqual([first.log, second.log, third.log, other.log], [['elected'], ['ask 7'], [], ['elected']]);
  for (const { group } of [first, second, other]) group.leave();
});
