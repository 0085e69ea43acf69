import test from 'ava';
import { EdgeWorld } from './edge-world.js';
import { settle, startWorld } from './world.js';

test('A client waits until the engine knows its audience, also where another client has just asked for it', async (t) => {
  const world = await startWorld(1);
  t.teardown(() => world.end());
  const edge = new EdgeWorld(world.database, world.log, 'own');
  t.teardown(() => edge.end());
  await edge.look();
  let known = () => {};
  edge.flush = () =>
    new Promise((resolve) => {
      known = resolve;
    });
  const begun: string[] = [];
  for (const client of ['first', 'second']) void edge.stream.interest(['u:ann']).then(() => begun.push(client));
  await settle();
  t.deepEqual(begun, []);
  known();
  await settle();
  t.deepEqual(begun.sort(), ['first', 'second']);
  // The engine knows it now.
  void edge.stream.interest(['u:ann']).then(() => begun.push('third'));
  await settle();
  t.is(begun.length, 3);
});
