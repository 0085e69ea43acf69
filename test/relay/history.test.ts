import test from 'ava';
import fc from 'fast-check';
import type { Frontier } from '../../src/event/frontier.js';
import { cases } from '../helpers/fuzz.js';
import { EdgeWorld } from './edge-world.js';
import { anyStep, type Step, settle, World } from './world.js';

type EdgeStep =
  | Step
  | { readonly kind: 'deaf' | 'hearing' | 'look' | 'lose' | 'wipe' | 'expire' | 'ask'; readonly which: number };

const anyEdgeStep: fc.Arbitrary<EdgeStep> = fc.oneof(
  { weight: 20, arbitrary: anyStep as fc.Arbitrary<EdgeStep> },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('deaf' as const, 'hearing' as const, 'look' as const, 'ask' as const),
      which: fc.nat(9),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('lose' as const, 'wipe' as const, 'expire' as const),
      which: fc.nat(9),
    }),
  },
);

const USERS = ['u:user 1', 'u:user 2'];

async function play(steps: readonly EdgeStep[], interest: 'all' | 'own'): Promise<string[]> {
  const world = new World();
  const edge = new EdgeWorld(world.database, world.log, interest);
  const frontiers: Frontier[] = [];
  const asked: string[] = ['*'];
  const look = async () => {
    edge.stream.follower.look();
    await edge.stream.follower.idle();
    await settle();
  };
  try {
    world.sources[0]!.elected = true;
    for (const step of steps) {
      if (step.kind === 'deaf') edge.isLost = ({ sequence }) => step.which > 4 || sequence % 2 === 0;
      else if (step.kind === 'hearing') edge.isLost = () => false;
      else if (step.kind === 'look') await look();
      else if (step.kind === 'lose') world.log.lose(step.which);
      else if (step.kind === 'wipe') world.log.wipe();
      else if (step.kind === 'expire') world.log.expire(step.which * 5);
      else if (step.kind === 'ask') {
        const audience = USERS[step.which % 2]!;
        if (!asked.includes(audience)) asked.push(audience);
        // It begins with the first place in the log that is known.
        edge.stream.interest([audience]).catch(() => {});
      } else await world.run([step as Step]);
      await settle();
      if (edge.stream.follower.at && frontiers.length < 20) frontiers.push(edge.stream.head.reached);
      edge.check(frontiers, asked);
    }
    edge.isLost = () => false;
    await world.heal();
    for (let i = 0; i < 3; i += 1) await look();
    edge.check(frontiers, asked);
    return edge.faults;
  } finally {
    await edge.end();
    world.end();
  }
}

for (const interest of ['all', 'own'] as const) {
  test(`What the history of an edge promises it has, whatever the engine loses, interest ${interest}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEdgeStep, { minLength: 20, maxLength: 120 }), async (steps) => {
        const faults = await play(steps, interest);
        if (faults.length > 0) throw new Error(faults.slice(0, 3).join('\n'));
      }),
      cases(100),
    );
    t.pass();
  });
}
