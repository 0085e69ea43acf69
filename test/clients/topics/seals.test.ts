import test from 'ava';
import { isRevoked, keyOf, openSeal } from '../../../src/clients/topics/seal.js';
import type { Topics } from '../../../src/clients/topics/topics.js';
import { EVERYBODY, topicAudience, userAudience } from '../../../src/event/audience.js';
import { clock, KEY, OTHER, openTopics, order, sealOf } from './simulated-topics.js';

const refusedWhy = async (topics: Topics, userId: string | null, ...seals: string[]) => {
  const { topics: allowed, refused } = await topics.heard(userId, ['a'], seals);
  return allowed.get('a') ?? refused.get('a');
};

test('Who asks for no topic hears none, and nobody is asked', async (t) => {
  const { topics, said } = openTopics();
  t.deepEqual(await topics.heard('ada', [], [sealOf('a', 'ada')]), { topics: new Map(), refused: new Map() });
  t.is(said.reads, 0);
});

test('A seal lets its user hear its topics until it ends', async (t) => {
  const { topics, said } = openTopics();
  const { topics: allowed, refused } = await topics.heard(
    'ada',
    ['a', 'b', 'c', 'a'],
    [sealOf(['a', 'b'], 'ada'), sealOf('a', null, 3000)],
  );
  t.deepEqual(
    [...allowed],
    [
      ['a', 3_000_000],
      ['b', 2_000_000],
    ],
  );
  t.deepEqual([...refused], [['c', 'no seal, and no permission']]);
  t.deepEqual(said.asked, [[{ userId: 'ada', topic: 'c' }]]);
  t.is(
    await refusedWhy(topics, 'ada', sealOf('a', null, 3000), sealOf('a', 'ada')),
    3_000_000,
    'whichever comes first',
  );
  t.is(said.reads, 1);
  t.deepEqual(topics.audiencesOf('ada', { topics: allowed, refused }), [
    EVERYBODY,
    userAudience('ada'),
    topicAudience('a'),
    topicAudience('b'),
  ]);
  t.deepEqual(topics.audiencesOf(null, { topics: new Map(), refused }), [EVERYBODY]);
});

test('Why a topic may not be heard is told and counted', async (t) => {
  const { topics, said } = openTopics();
  t.is(await refusedWhy(topics, 'bob', sealOf('a', 'ada')), 'the seal is for another user');
  t.is(await refusedWhy(topics, null, sealOf('a', 'ada')), 'the seal is for another user');
  t.is(await refusedWhy(topics, 'ada', sealOf('a', 'ada', 1000)), 'the seal has expired');
  t.is(await refusedWhy(topics, 'ada', sealOf('a', 'ada', 1001)), 1_001_000);
  t.is(await refusedWhy(topics, 'ada', sealOf('b', 'ada')), 'no seal, and no permission');
  said.revocations = [{ xid: 10, userId: null, topic: 'a' }];
  await topics.order(order('recheck', null));
  t.is(await refusedWhy(topics, 'ada', sealOf('a', 'ada')), 'the seal was made before the permission was taken back');
  t.is(
    await refusedWhy(topics, 'ada', sealOf('a', 'bob'), sealOf('a', 'ada')),
    'the seal is for another user',
    'the first one',
  );
  const { refused } = await topics.heard('ada', ['no topic', ''], []);
  t.deepEqual([...new Set(refused.values())], ['a topic has 1 to 255 characters, and no white space']);
  t.deepEqual(topics.refused, { name: 2, permission: 1, user: 3, expired: 1, revoked: 1 });
});

test('What is no seal, or is signed otherwise, counts as none', async (t) => {
  const { topics } = openTopics();
  const good = sealOf('a', 'ada');
  for (const seal of [
    'x',
    `x${good}`,
    `${good}x`,
    good.replace('djr1', 'djr2'),
    good.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A')),
    sealOf('a', 'ada', 2000, { ...KEY, inner: OTHER.inner }),
    sealOf('a', 'ada', 2000, { ...KEY, outer: OTHER.outer }),
    sealOf(Array.from({ length: 2000 }, (_, n) => `${n}`).concat('a'), 'ada'),
  ])
    t.is(await refusedWhy(topics, 'ada', seal), 'no seal, and no permission', seal.slice(0, 99));
  t.is(await refusedWhy(topics, 'ada', 'x', good), 2_000_000);
  t.is(keyOf(good), KEY.id);
  t.is(keyOf('x'), undefined);
  t.deepEqual(openSeal(sealOf(['a', 'b'], null), KEY)!.topics, ['a', 'b']);
});

test('A permission is revoked by what the seal’s query did not see, for whom and what it names', (t) => {
  const seal = openSeal(sealOf('a', null), KEY)!;
  for (const [revocation, revoked] of [
    [{ xid: 9, userId: null, topic: null }, false],
    [{ xid: 10, userId: null, topic: null }, true],
    [{ xid: 10, userId: 'ada', topic: 'a' }, true],
    [{ xid: 10, userId: 'bob', topic: 'a' }, false],
    [{ xid: 10, userId: 'ada', topic: 'b' }, false],
  ] as const) {
    t.is(isRevoked(seal, 'a', 'ada', [{ xid: 1, userId: null, topic: null }, revocation]), revoked);
  }
});

test.serial('Keys are read every half minute; for an unknown one at most once a second', async (t) => {
  const pass = clock(t);
  const { topics, said } = openTopics();
  const seal = sealOf('a', 'ada');
  await refusedWhy(topics, 'ada', seal);
  pass(29_999);
  await refusedWhy(topics, 'ada', seal);
  t.is(said.reads, 1);
  pass(1);
  await Promise.all([refusedWhy(topics, 'ada', seal), refusedWhy(topics, 'ada', seal)]);
  t.is(said.reads, 2, 'once for both');
  const unknown = sealOf('a', 'ada', 2000, OTHER);
  pass(999);
  await refusedWhy(topics, 'ada', unknown);
  t.is(said.reads, 2);
  pass(1);
  said.keys = [OTHER];
  t.is(await refusedWhy(topics, 'ada', unknown), 2_000_000);
  t.is(said.reads, 3);
  t.is(await refusedWhy(topics, 'ada', seal), 'no seal, and no permission', 'the old key has been rotated out');
});

test.serial('Who shows no seal costs no reading of keys, and what is no seal none but the usual ones', async (t) => {
  const pass = clock(t);
  const { topics, said } = openTopics();
  await refusedWhy(topics, 'ada');
  t.is(said.reads, 0);
  await refusedWhy(topics, 'ada', 'x');
  pass(2000);
  await refusedWhy(topics, 'ada', 'x');
  t.is(said.reads, 1);
});

test.serial('Keys that were read before a permission was taken back are read again', async (t) => {
  const pass = clock(t);
  const { topics, said } = openTopics();
  t.is(await refusedWhy(topics, 'ada', sealOf('a', 'ada')), 2_000_000);
  pass(30_000);
  const reading = refusedWhy(topics, 'ada', sealOf('a', 'ada'));
  said.revocations = [{ xid: 10, userId: 'ada', topic: null }];
  await topics.order(order('recheck', 'ada'));
  t.is(await reading, 'the seal was made before the permission was taken back');
  t.is(said.reads, 3);
});

test('Keys that cannot be read are an error, and are read again the next time', async (t) => {
  let fails = true;
  const store = {
    permissions: async () => {
      if (fails) throw new Error('away');
      return { keys: [KEY], revocations: [] };
    },
    authorize: async () => ({ allowed: [false], failure: null }),
  };
  const { topics } = openTopics({ store });
  await t.throwsAsync(topics.heard('ada', ['a'], [sealOf('a', 'ada')]), { message: 'away' });
  fails = false;
  t.is(await refusedWhy(topics, 'ada', sealOf('a', 'ada')), 2_000_000);
});
