import test from 'ava';
import { decodeCheckpoint } from '../../src/relay/checkpoint.js';
import { decodeLine } from '../../src/relay/line.js';
import { EdgeWorld } from './edge-world.js';
import { settle, subjects, World } from './world.js';

/** A world in which one source writes, and so many events are in the log. */
async function start(events: number): Promise<World> {
  const world = new World();
  world.sources[0]!.elected = true;
  for (let i = 0; i < events; i += 1) {
    world.database.publish();
    world.database.commit(0);
  }
  await world.heal();
  return world;
}

test('A new generation promises nothing before all that the log lacked is in it', async (t) => {
  const world = new World();
  t.teardown(() => world.end());
  world.sources[0]!.elected = true;
  await world.heal();
  // More than one checkpoint names.
  for (let i = 0; i < 1500; i += 1) {
    world.database.publish();
    world.database.commit(0);
  }
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
    const world = await start(3);
    t.teardown(() => world.end());
    const edge = new EdgeWorld(world.database, world.log, interest);
    t.teardown(() => edge.end());
    const { follower } = edge.stream;
    follower.look();
    await follower.idle();
    const since = world.database.snapshot();
    for (let i = 0; i < 4; i += 1) {
      world.database.publish();
      world.database.commit(0);
    }
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
