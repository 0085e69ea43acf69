import test from 'ava';
import { EdgeWorld } from './edge-world.js';
import { startWorld, subjects } from './world.js';

for (const interest of ['all', 'own'] as const) {
  test(`A source that writes for longer than the log keeps events goes on in its generation, and edges come and go on, interest ${interest}`, async (t) => {
    const world = await startWorld(3);
    t.teardown(() => world.end());
    const edge = new EdgeWorld(world.database, world.log, interest);
    t.teardown(() => edge.end());
    await edge.look();
    const { generation } = edge.stream.follower.at!;
    const [source] = world.sources;
    // All is gone but the last few messages, of which none is a claim.
    world.log.expire(world.log.messages.length - 3);
    t.true(world.log.messages.every(({ subject }) => subjects.parse(subject)!.kind === 'checkpoint'));
    world.publish(2);
    // Long enough for the source to look whether the log is its own still.
    await world.heal();
    t.true(source!.writer.leads);
    t.is(source!.writer.takeovers, 1);
    t.is(source!.writer.generation, generation);
    const late = new EdgeWorld(world.database, world.log, interest);
    t.teardown(() => late.end());
    await late.look();
    world.publish(1);
    await world.heal();
    for (const one of [edge, late]) await one.look();
    t.deepEqual(edge.ids.slice(-3), [4, 5, 6]);
    t.is(late.ids.at(-1), 6);
  });
}
