import test from 'ava';
import { decodeCheckpoint } from '../../src/relay/checkpoint.js';
import { decodeLine } from '../../src/relay/line.js';
import { EdgeWorld } from './edge-world.js';
import { settle, startWorld, subjects, World } from './world.js';

test('A new generation promises nothing before all that the log lacked is in it', async (t) => {
  const world = new World();
  t.teardown(() => world.end());
  world.sources[0]!.elected = true;
  await world.heal();
  // More than one checkpoint names.
  world.publish(1500);
  world.log.wipe();
  await world.heal();
  const here = new Set<number>();
  let checkpoints = 0;
  for (const { subject, text } of world.log.messages) {
    const { kind } = subjects.parse(subject)!;
    if (kind === 'event') here.add(decodeLine(text).id);
    if (kind !== 'checkpoint') continue;
    checkpoints += 1;
    const { frontier } = decodeCheckpoint(text);
    const missing = world.database.committed.filter(({ id, xid }) => !frontier.isNew(xid!) && !here.has(id));
    t.is(missing.length, 0, `checkpoint ${checkpoints} promises ${missing.length} events that are not in the log yet`);
  }
  t.is(here.size, 1500);
  t.true(checkpoints > 1);
});

for (const interest of ['all', 'own'] as const) {
  test(`A client that comes to an edge while the log is replayed lacks nothing, interest ${interest}`, async (t) => {
    const world = await startWorld(3);
    t.teardown(() => world.end());
    const edge = new EdgeWorld(world.database, world.log, interest);
    t.teardown(() => edge.end());
    const { follower } = edge.stream;
    follower.look();
    await follower.idle();
    const since = world.database.snapshot();
    world.publish(4);
    await world.heal();
    follower.look();
    await follower.idle();
    t.is(edge.history.length >= 4, true);
    // The engine loses all of it, and has only the beginning of the next generation when the client comes.
    world.log.wipe();
    for (let i = 0; i < 100 && world.log.messages.length === 0; i += 1) {
      for (const source of world.sources) source.pass(500);
      await settle();
      world.log.take();
      await settle();
    }
    t.is(world.log.messages.length, 1);
    follower.look();
    await follower.idle();
    const reading = edge.read(since, ['*']);
    await settle();
    await world.heal();
    for (let i = 0; i < 3; i += 1) {
      follower.look();
      await follower.idle();
    }
    t.deepEqual(await reading, [4, 5, 6, 7]);
  });
}

const SWITCHED = { 'stays on': undefined, 'is switched off before': false, 'is switched off meanwhile': true };

for (const [what, isDeaf] of Object.entries(SWITCHED)) {
  const ends = isDeaf === undefined ? 'go on' : 'end';
  test(`Where an edge is cut off and storage ${what}, its streams ${ends} when it is back`, async (t) => {
    const world = await startWorld(3);
    t.teardown(() => world.end());
    const edge = new EdgeWorld(world.database, world.log, 'all');
    t.teardown(() => edge.end());
    await edge.look();
    edge.isLost = () => isDeaf === true;
    world.database.storage = isDeaf === undefined;
    await world.heal();
    t.is(edge.ends, 0);
    edge.isLost = () => false;
    edge.stream.back();
    await edge.look();
    await world.heal();
    t.is(edge.ends, isDeaf === undefined ? 0 : 1);
  });
}

/** Messages that an edge of these tests reads to go on where it was. */
const MOST = 300;

test('An edge that missed more than it reads ends its streams, and goes on in the log as it is', async (t) => {
  const world = await startWorld(3);
  t.teardown(() => world.end());
  const edge = new EdgeWorld(world.database, world.log, 'all', MOST);
  t.teardown(() => edge.end());
  await edge.look();
  edge.isLost = () => true;
  for (let i = 0; i <= MOST; i += 1) world.log.intrude(subjects.filler('other'), '');
  await world.heal();
  edge.isLost = () => false;
  await edge.look();
  t.is(edge.ends, 1);
  world.publish(1);
  await world.heal();
  t.is(edge.ids.at(-1), 4);
});

test('So does one with its own subjects for which the engine has taken back what it had heard', async (t) => {
  const world = await startWorld(3);
  t.teardown(() => world.end());
  const edge = new EdgeWorld(world.database, world.log, 'own', MOST);
  t.teardown(() => edge.end());
  await edge.look();
  // A checkpoint that the edge hears, and of which its source never learns that it was stored.
  world.sources[0]!.pass(1000);
  world.log.take(false);
  world.log.lose(1);
  edge.isLost = () => true;
  world.publish(MOST + 1);
  await world.heal();
  edge.isLost = () => false;
  await edge.look();
  t.is(edge.ends, 1);
  world.publish(1);
  await world.heal();
  t.is(edge.ids.at(-1), 3 + MOST + 2);
});
