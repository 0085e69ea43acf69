import test from 'ava';
import { EdgeWorld } from './edge-world.js';
import { settle, startWorld, subjects } from './world.js';

/** What somebody writes who knows nothing of the relay, as `nats pub` does. @param generation - of the log */
const STRANGE: Readonly<Record<string, (generation: string) => string>> = {
  'with a subject of its own': () => 'djr.test.hello',
  'with the subject of an event': (generation) => subjects.event(generation, '*'),
};

for (const interest of ['all', 'own'] as const) {
  for (const [what, subjectIn] of Object.entries(STRANGE)) {
    test(`A message of a stranger ${what} to a log at rest costs nobody an event, interest ${interest}`, async (t) => {
      const world = await startWorld(2);
      t.teardown(() => world.end());
      const edge = new EdgeWorld(world.database, world.log, interest);
      t.teardown(() => edge.end());
      await edge.look();
      const since = world.database.snapshot();
      world.publish(1);
      await world.heal();
      world.log.intrude(subjectIn(edge.stream.follower.at!.generation), 'hello');
      // The next message of the source is refused, and it takes the log over anew.
      world.sources[0]!.pass(1000);
      world.log.take();
      world.publish(1);
      await world.heal();
      await edge.look();
      t.deepEqual(edge.ids.slice(-2), [3, 4]);
      t.is(edge.ends, 0);
      // One that begins now reads it in the log, and so does a client that reconnects.
      const late = new EdgeWorld(world.database, world.log, interest);
      t.teardown(() => late.end());
      await late.look();
      // The late one has caught up with the next checkpoint.
      await world.heal();
      for (const one of [edge, late]) t.deepEqual(await one.read(since, ['*']), [3, 4]);
    });
  }
}

for (const interest of ['all', 'own'] as const) {
  for (const posing of [false, true]) {
    const what = posing ? 'with the subject of an event' : 'with a subject of its own';
    test(`A message of a stranger ${what} in the place of an event that is under way costs nobody that event, interest ${interest}`, async (t) => {
      const world = await startWorld(2);
      t.teardown(() => world.end());
      const edge = new EdgeWorld(world.database, world.log, interest);
      t.teardown(() => edge.end());
      await edge.look();
      const since = world.database.snapshot();
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
      const late = new EdgeWorld(world.database, world.log, interest);
      t.teardown(() => late.end());
      await late.look();
      await world.heal();
      for (const one of [edge, late]) t.deepEqual([...(await one.read(since, ['*']))].toSorted(), [3, 4]);
    });
  }
}
