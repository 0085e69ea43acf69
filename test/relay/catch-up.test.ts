import test from 'ava';
import { CatchUp } from '../../src/source/nats/catch-up.js';
import { EdgeWorld } from './edge-world.js';
import { silent, startWorld, type World } from './world.js';

/** An edge that has heard all, in a world with three events, and its catching up. */
async function start(t: { teardown(end: () => unknown): void }) {
  const world = await startWorld(3);
  t.teardown(() => world.end());
  const edge = new EdgeWorld(world.database, world.log, 'all');
  t.teardown(() => edge.end());
  await edge.look();
  const { follower } = edge.stream;
  let asked = 0;
  const catchUp = new CatchUp({
    follower,
    logger: silent,
    isStopped: () => false,
    flush: async () => {
      asked += 1;
      return flushOf(world);
    },
  });
  return { world, edge, catchUp, asked: () => asked };
}

async function flushOf({ log, sources }: World) {
  const { writer } = sources.find((source) => source.writer.leads)!;
  const flushing = writer.flush();
  await new Promise(setImmediate);
  while (log.pending.length > 0) log.take();
  return { generation: writer.generation!, sequence: (await flushing)! };
}

test('An edge that has not heard of a new generation has its events before it has caught up', async (t) => {
  const { catchUp, edge, world } = await start(t);
  edge.isLost = () => true;
  world.log.wipe();
  world.publish(2);
  await world.heal();
  const { generation } = world.sources.find(({ writer }) => writer.leads)!.writer;
  t.not(generation, edge.stream.follower.at!.generation);
  await catchUp.run();
  t.deepEqual(edge.ids.slice(-2), [4, 5]);
});

test('Whoever asks while a question runs shares the next one', async (t) => {
  const { asked, catchUp, edge, world } = await start(t);
  world.publish(1);
  const first = catchUp.run();
  await Promise.resolve();
  await Promise.resolve();
  const more = Array.from({ length: 20 }, () => catchUp.run());
  await Promise.all([first, ...more]);
  t.true(asked() <= 2, `it was asked ${asked()} times`);
  t.is(edge.ids.at(-1), 4);
});
