import test, { type ExecutionContext } from 'ava';
import type { Frontier } from '../../src/event/frontier.js';
import { EdgeWorld } from './edge-world.js';
import { settle, startWorld, type World } from './world.js';

type Interest = 'all' | 'own';

/** A log with two events, and an edge that has them. */
async function begin(t: ExecutionContext, interest: Interest) {
  const world = await startWorld(2);
  t.teardown(() => world.end());
  const edge = await joined(t, world, interest);
  return { world, edge, since: world.database.snapshot() };
}

async function joined(t: ExecutionContext, world: World, interest: Interest): Promise<EdgeWorld> {
  const edge = new EdgeWorld(world.database, world.log, interest);
  t.teardown(() => edge.end());
  await edge.look();
  return edge;
}

/** @returns what a client gets that reconnects to this edge, and to one that begins now and reads it in the log */
async function readAgain(t: ExecutionContext, world: World, interest: Interest, edge: EdgeWorld, since: Frontier) {
  const late = await joined(t, world, interest);
  // The late one has caught up with the next checkpoint.
  await world.heal();
  return [await edge.read(since, ['*']), await late.read(since, ['*'])];
}

for (const interest of ['all', 'own'] as const) {
  for (const posing of [false, true]) {
    const what = posing ? 'with the subject of an event' : 'with a subject of its own';

    test(`A message of a stranger ${what} to a log at rest costs nobody an event, interest ${interest}`, async (t) => {
      const { world, edge, since } = await begin(t, interest);
      world.publish(1);
      await world.heal();
      world.intrude(posing);
      // The next message of the source is refused, and it takes the log over anew.
      world.sources[0]!.pass(1000);
      world.log.take();
      world.publish(1);
      await world.heal();
      await edge.look();
      t.deepEqual(edge.ids.slice(-2), [3, 4]);
      t.is(edge.ends, 0);
      for (const got of await readAgain(t, world, interest, edge, since)) t.deepEqual(got, [3, 4]);
    });

    test(`A message of a stranger ${what} in the place of an event that is under way costs nobody that event, interest ${interest}`, async (t) => {
      const { world, edge, since } = await begin(t, interest);
      const [source] = world.sources;
      world.publish(2);
      // Both events are under way, and so would be the checkpoint that promises them.
      source!.sweep();
      source!.pass(1000);
      await settle();
      world.intrude(posing);
      for (let taken = 0; taken < 10; taken += 1) world.log.take();
      await world.heal();
      await edge.look();
      t.deepEqual(edge.ids.slice(-2).toSorted(), [3, 4]);
      t.is(edge.ends, 0);
      for (const got of await readAgain(t, world, interest, edge, since)) t.deepEqual([...got].toSorted(), [3, 4]);
    });
  }
}
