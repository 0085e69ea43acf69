import test from 'ava';
import fc from 'fast-check';
import type { Audience } from '../../src/event/audience.js';
import type { Envelope } from '../../src/event/envelope.js';
import type { Frontier } from '../../src/event/frontier.js';
import { Follower } from '../../src/relay/follower.js';
import { Interest } from '../../src/relay/interest.js';
import { cases } from '../helpers/fuzz.js';
import type { FakeDatabase, FakeLog } from './fakes.js';
import { anyStep, type Step, settle, silent, subjects, World } from './world.js';

const AUDIENCES: readonly Audience[] = ['*', 'u:user 1', 'u:user 2'];

/** Which live copies do not come. */
const LOSSES = {
  none: () => false,
  all: () => true,
  events: (kind: string) => kind === 'event',
  checkpoints: (kind: string) => kind !== 'event',
  some: (_: string, sequence: number) => sequence % 2 === 0,
  most: (_: string, sequence: number) => sequence % 5 > 0,
};

interface Begun {
  /** Committed before the audience began here: nobody promised these. */
  readonly before: ReadonlySet<number>;
  /** What is new since then is promised. */
  frontier: Frontier | undefined;
}

/** An edge that asks for some audiences, what it was promised, and what is wrong. */
class OwnEdge {
  readonly faults: string[] = [];
  readonly follower: Follower;
  readonly interest: Interest;
  loss: keyof typeof LOSSES = 'none';
  readonly #database: FakeDatabase;
  readonly #asked = new Set<Audience>();
  readonly #begun = new Map<Audience, Begun>();
  readonly #ends = new Map<Audience, () => void>();
  #delivered = new Set<number>();

  constructor(database: FakeDatabase, log: FakeLog) {
    this.#database = database;
    this.interest = new Interest({
      subscribe: (audience) => {
        this.#asked.add(audience);
        return () => this.#asked.delete(audience);
      },
      onBegin: (audience, frontier) => {
        const before = new Set(database.committed.map(({ id }) => id));
        this.#begun.set(audience, { before, frontier });
      },
      onSettle: (audience, frontier) => {
        this.#begun.get(audience)!.frontier = frontier;
      },
      onEnd: (audience) => this.#begun.delete(audience),
      linger: 0,
    });
    this.follower = new Follower({
      log: log.view(-1),
      subjects,
      logger: silent,
      warm: 0,
      wait: 0,
      interest: this.interest,
      onBegin: () => {},
      onGap: () => {
        this.#delivered = new Set();
        this.#begun.clear();
      },
      onReplaced: () => {},
      onBack: () => this.faults.push('an order of its own never goes back'),
      onSkip: () => {},
      deliver: (envelope) => this.#deliver(envelope),
      onCheckpoint: (frontier) => this.#check(frontier),
    });
    log.follow((copy) => {
      const { kind } = subjects.parse(copy.subject)!;
      const isAsked = kind !== 'event' || [...this.#asked].some((audience) => this.#isFor(copy.subject, audience));
      if (isAsked && !LOSSES[this.loss](kind, copy.sequence)) this.follower.hear(copy);
    });
  }

  /** A client with this audience comes, or the one that there is leaves. */
  toggle(audience: Audience): void {
    const end = this.#ends.get(audience);
    this.#ends.delete(audience);
    if (end) end();
    else {
      this.#ends.set(audience, this.interest.add([audience]).end);
      this.follower.arrive();
    }
    this.interest.sweep();
  }

  /** What it was promised, and has not delivered. */
  missing(): string[] {
    return this.#database.committed
      .filter((one) => this.#isPromised(one) && !this.#delivered.has(one.id))
      .map(({ id }) => `event ${id} was not delivered`);
  }

  #isFor(subject: string, audience: Audience): boolean {
    return subject.endsWith(subjects.event('', audience).slice(subjects.event('', '').length));
  }

  #isPromised({ audience, id, xid }: Envelope): boolean {
    const begun = this.#begun.get(audience!);
    return begun !== undefined && (!begun.before.has(id) || begun.frontier?.isNew(xid!) === true);
  }

  #check(frontier: Frontier): void {
    for (const one of this.#database.committed) {
      if (frontier.isNew(one.xid!) || !this.#isPromised(one) || this.#delivered.has(one.id)) continue;
      this.faults.push(`the frontier promises event ${one.id}, which was not delivered`);
    }
  }

  #deliver({ audience, id, xid }: Envelope): void {
    if (this.#delivered.has(id)) this.faults.push(`event ${id} was delivered twice`);
    if (!this.#begun.has(audience!)) this.faults.push(`event ${id} of ${audience} was not asked for`);
    this.#delivered.add(id);
    for (const one of this.#database.committed) {
      if (one.xid !== xid || one.id >= id || !this.#isPromised(one) || this.#delivered.has(one.id)) continue;
      this.faults.push(`event ${id} was delivered before event ${one.id} of its transaction`);
    }
  }
}

type OwnStep =
  | Step
  | { readonly kind: 'loss'; readonly which: number; readonly loss: keyof typeof LOSSES }
  | { readonly kind: 'toggle' | 'look' | 'lose' | 'wipe' | 'expire'; readonly which: number };

const anyOwnStep = (losses: boolean): fc.Arbitrary<OwnStep> =>
  fc.oneof(
    { weight: 20, arbitrary: anyStep as fc.Arbitrary<OwnStep> },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('loss' as const),
        which: fc.nat(9),
        loss: fc.constantFrom(...(Object.keys(LOSSES) as (keyof typeof LOSSES)[])),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('toggle' as const, 'toggle' as const, 'look' as const),
        which: fc.nat(9),
      }),
    },
    {
      weight: losses ? 1 : 0,
      arbitrary: fc.record({
        kind: fc.constantFrom('lose' as const, 'wipe' as const, 'expire' as const),
        which: fc.nat(9),
      }),
    },
  );

async function play(steps: readonly OwnStep[]): Promise<string[]> {
  const world = new World();
  const edges = [new OwnEdge(world.database, world.log), new OwnEdge(world.database, world.log)];
  try {
    world.sources[0]!.elected = true;
    for (const step of steps) {
      const edge = edges[step.which % 2]!;
      if (step.kind === 'loss') edge.loss = step.loss;
      else if (step.kind === 'toggle') edge.toggle(AUDIENCES[step.which % 3]!);
      else if (step.kind === 'look') edge.follower.look();
      else if (step.kind === 'lose') world.log.lose(step.which);
      else if (step.kind === 'wipe') world.log.wipe();
      else if (step.kind === 'expire') world.log.expire(step.which * 5);
      else await world.run([step as Step]);
      await settle();
    }
    for (const edge of edges) edge.loss = 'none';
    await world.heal();
    for (const { follower } of edges) {
      // Two looks: the first may only find that the chain is another one.
      for (let i = 0; i < 3; i += 1) {
        follower.look();
        await follower.idle();
      }
    }
    return edges.flatMap((edge) => [...edge.faults, ...edge.missing()]);
  } finally {
    for (const { follower } of edges) void follower.stop();
    world.end();
  }
}

for (const losses of [false, true]) {
  const what = losses ? 'and whatever the engine loses of what it has acknowledged' : 'whatever live copies are lost';
  test(`By the manifests an edge has every event of the audiences that it asks for, once and in the order of its transaction, ${what}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOwnStep(losses), { minLength: 20, maxLength: 150 }), async (steps) => {
        const faults = await play(steps);
        if (faults.length > 0) throw new Error(faults.slice(0, 3).join('\n'));
      }),
      cases(150),
    );
    t.pass();
  });
}
