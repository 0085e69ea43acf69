import test from 'ava';
import fc from 'fast-check';
import type { Envelope } from '../../src/event/envelope.js';
import type { Frontier } from '../../src/event/frontier.js';
import { Follower } from '../../src/relay/follower.js';
import { cases } from '../helpers/fuzz.js';
import type { FakeDatabase, FakeLog } from './fakes.js';
import { anyStep, type Step, settle, silent, subjects, World } from './world.js';

/** An edge, what its clients have got, and what is wrong with it. */
class FakeEdge {
  readonly faults: string[] = [];
  readonly follower: Follower;
  deaf = false;
  readonly #database: FakeDatabase;
  #delivered = new Set<number>();
  /** Clients that came back after a gap have these from a source. */
  #before = new Set<number>();
  #begun: Frontier | undefined;

  constructor(database: FakeDatabase, log: FakeLog) {
    this.#database = database;
    this.follower = new Follower({
      log: log.view(-1),
      subjects,
      logger: silent,
      warm: 5,
      wait: 0,
      onBegin: (frontier) => {
        this.#begun = frontier;
      },
      onGap: () => {
        for (const id of this.#delivered) this.#before.add(id);
        this.#delivered = new Set();
      },
      onReplaced: () => {},
      onBack: () => {},
      onSkip: () => {},
      deliver: (envelope) => this.#deliver(envelope),
      onCheckpoint: (frontier) => {
        for (const { id, xid } of this.#database.committed) {
          if (frontier.isNew(xid!) || this.has(id)) continue;
          this.faults.push(`the frontier promises event ${id}, which was not delivered`);
        }
      },
    });
    log.follow((message) => {
      if (!this.deaf) this.follower.hear(message);
    });
  }

  has(id: number): boolean {
    const visible = this.#database.committed.some((one) => one.id === id && !this.#begun?.isNew(one.xid!));
    return visible || this.#delivered.has(id);
  }

  #deliver({ id, xid }: Envelope): void {
    if (this.#delivered.has(id)) this.faults.push(`event ${id} was delivered twice`);
    if (!this.#begun!.isNew(xid!)) this.faults.push(`event ${id} was there at the beginning, and was delivered`);
    this.#delivered.add(id);
  }
}

type EdgeStep =
  | Step
  | { readonly kind: 'deaf' | 'hearing' | 'look' | 'stranger' | 'lose' | 'wipe' | 'expire'; readonly which: number };

const anyEdgeStep = (losses: boolean): fc.Arbitrary<EdgeStep> =>
  fc.oneof(
    { weight: 20, arbitrary: anyStep as fc.Arbitrary<EdgeStep> },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('deaf' as const, 'hearing' as const, 'look' as const),
        which: fc.nat(9),
      }),
    },
    // Where a stranger takes the place of what the engine has lost, nobody can tell that it was lost.
    {
      weight: losses ? 0 : 1,
      arbitrary: fc.record({ kind: fc.constant('stranger' as const), which: fc.nat(9) }),
    },
    {
      weight: losses ? 1 : 0,
      arbitrary: fc.record({
        kind: fc.constantFrom('lose' as const, 'wipe' as const, 'expire' as const),
        which: fc.nat(9),
      }),
    },
  );

async function play(steps: readonly EdgeStep[]): Promise<string[]> {
  const world = new World();
  const edges = [new FakeEdge(world.database, world.log), new FakeEdge(world.database, world.log)];
  try {
    world.sources[0]!.elected = true;
    for (const step of steps) {
      const edge = edges[step.which % 2]!;
      if (step.kind === 'deaf') edge.deaf = true;
      else if (step.kind === 'hearing') edge.deaf = false;
      else if (step.kind === 'look') edge.follower.look();
      else if (step.kind === 'stranger') world.intrude(step.which % 2 === 0);
      else if (step.kind === 'lose') world.log.lose(step.which);
      else if (step.kind === 'wipe') world.log.wipe();
      else if (step.kind === 'expire') world.log.expire(step.which * 5);
      else await world.run([step as Step]);
      await settle();
    }
    for (const edge of edges) edge.deaf = false;
    await world.heal();
    for (const { follower } of edges) {
      // Two looks: the first may only find that the chain is another one.
      for (let i = 0; i < 3; i += 1) {
        follower.look();
        await follower.idle();
      }
    }
    const missing = edges.flatMap((edge, number) =>
      world.database.committed
        .filter(({ id }) => !edge.has(id))
        .map(({ id }) => `edge ${number} has not delivered event ${id}`),
    );
    return [...edges.flatMap(({ faults }) => faults), ...missing];
  } finally {
    for (const { follower } of edges) void follower.stop();
    world.end();
  }
}

for (const losses of [false, true]) {
  const what = losses
    ? 'and whatever the engine loses of what it has acknowledged'
    : 'strangers among them, whatever live copies are lost';
  test(`An edge delivers every event once, whoever writes the log, ${what}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEdgeStep(losses), { minLength: 20, maxLength: 150 }), async (steps) => {
        const faults = await play(steps);
        if (faults.length > 0) throw new Error(faults.slice(0, 3).join('\n'));
      }),
      cases(200),
    );
    t.pass();
  });
}

test('What an edge hears before it begins, and the engine loses, takes the place of no other message', async (t) => {
  const source = (kind: 'pass' | 'hear' | 'elect', which = 0) => ({ kind, source: 0, which }) as EdgeStep;
  const step = (kind: string, which = 0) => ({ kind, which }) as EdgeStep;
  const lost = [step('publish'), source('pass', 5), source('pass'), step('take'), step('unanswered'), step('lose', 2)];
  const anew = [
    step('commit'),
    source('pass'),
    step('deaf'),
    source('hear'),
    source('hear'),
    step('take'),
    step('take'),
  ];
  const faults = await play([...lost, ...anew, step('look'), step('take'), step('publish'), source('hear')]);
  t.deepEqual(faults, []);
});
