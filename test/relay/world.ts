import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { Envelope } from '../../src/event/envelope.js';
import type { Frontier } from '../../src/event/frontier.js';
import type { Logger } from '../../src/lib/logger.js';
import { decodeCheckpoint } from '../../src/relay/checkpoint.js';
import { Recent } from '../../src/relay/recent.js';
import { Subjects } from '../../src/relay/subjects.js';
import { Writer } from '../../src/relay/writer.js';
import { FakeDatabase, FakeLog } from './fakes.js';

export const subjects = new Subjects('test');

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Lets all that can go on without the outside go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i += 1) await setImmediate();
}

/** An instance on PostgreSQL with its writer: the test decides what it hears and when it sweeps. */
export class FakeSource {
  readonly writer: Writer;
  readonly number: number;
  readonly #database: FakeDatabase;
  readonly #delivered = new Set<number>();
  readonly recent = new Recent();
  #reached: Frontier;
  elected = false;
  now = 0;
  /** What happens to the database while the log is taken over. */
  beforeCatchUp = (): void => {};

  constructor(number: number, database: FakeDatabase, log: FakeLog, maxEntries: number) {
    this.number = number;
    this.#database = database;
    this.#reached = database.snapshot();
    for (const { id } of database.committed) this.#delivered.add(id);
    this.recent.startAt(this.#reached, 0);
    this.writer = new Writer({
      log: log.view(number),
      subjects,
      logger: silent,
      now: () => this.now,
      // As many as messages that may pass a claim: few, for cases that are short.
      pipeline: 3,
      maxEntries,
      sendLive() {},
      recent: this.recent,
      election: {
        win: async () => this.elected,
        yield: async () => {
          this.elected = false;
        },
      },
      ring: {
        record: async (mark) => {
          database.marks.unshift(mark);
        },
        marks: async () => [...database.marks],
      },
      outlet: {
        epoch: () => database.epoch,
        status: () => ({ startedAt: 0, prunedXid: 0, storage: database.storage, activity: 'off' }),
        reached: () => this.#reached,
        catchUp: async () => {
          this.beforeCatchUp();
          this.sweep();
        },
        readSince: async (since, onBatch) => {
          const snapshot = database.snapshot();
          const found = database.committed.filter(({ xid }) => since.isNew(xid!));
          await setImmediate();
          onBatch(found.sort((a, b) => a.xid! - b.xid!));
          return snapshot;
        },
      },
    });
    this.writer.start();
  }

  /** NOTIFY brings the events of one transaction that it has not had. */
  hear(which: number): void {
    const missing = this.#database.committed.filter(({ id }) => !this.#delivered.has(id));
    const xid = missing[which % Math.max(1, missing.length)]?.xid;
    for (const envelope of missing) if (envelope.xid === xid) this.#deliver(envelope);
  }

  sweep(): void {
    const missing = this.#database.committed.filter(({ id }) => !this.#delivered.has(id));
    for (const envelope of missing.sort((a, b) => a.xid! - b.xid!)) this.#deliver(envelope);
    this.#reached = this.#database.snapshot();
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    this.writer.tick();
  }

  #deliver(envelope: Envelope): void {
    this.#delivered.add(envelope.id);
    this.writer.take(envelope);
  }
}

export type Step =
  | { readonly kind: 'publish' | 'commit'; readonly which: number }
  | { readonly kind: 'hear' | 'sweep' | 'pass' | 'elect' | 'crash'; readonly source: number; readonly which: number }
  | { readonly kind: 'take' | 'unanswered' | 'drop'; readonly which: number };

/** For whom a transaction publishes. */
const TRANSACTIONS: readonly (readonly string[])[] = [
  ['public'],
  ['user 1'],
  ['user 2'],
  ['user 1', 'user 2', 'public'],
  ['user 2', 'user 1', 'user 2'],
  Array.from({ length: 12 }, (_, i) => `user ${(i * 5) % 12}`),
];

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('publish' as const, 'commit' as const), which: fc.nat(9) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('hear' as const, 'hear' as const, 'sweep' as const, 'pass' as const, 'pass' as const),
      source: fc.nat(1),
      which: fc.nat(9),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('elect' as const, 'crash' as const),
      source: fc.nat(1),
      which: fc.nat(9),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('take' as const), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('unanswered' as const, 'drop' as const), which: fc.nat(9) }),
  },
);

/** A database, two sources and the engine, and what may happen to them. */
export class World {
  readonly database = new FakeDatabase();
  readonly log = new FakeLog();
  readonly sources: FakeSource[] = [];
  readonly #gone: FakeSource[] = [];
  readonly #maxEntries: number;

  /** @param maxEntries - messages between two checkpoints: by default so few that some come while a take-over brings what the log lacked */
  constructor(maxEntries = 4) {
    this.#maxEntries = maxEntries;
    this.sources.push(this.#source(0), this.#source(1));
    this.#hearing();
  }

  #source(number: number): FakeSource {
    return new FakeSource(number, this.database, this.log, this.#maxEntries);
  }

  #hearing(): void {
    this.log.follow(({ sequence, subject, text }) => {
      const kind = subjects.parse(subject)?.kind;
      if (kind !== 'checkpoint' && kind !== 'claim') return;
      const { term } = decodeCheckpoint(text);
      for (const { writer } of this.sources) writer.hear(term, kind === 'claim' ? sequence : undefined);
    });
  }

  /** Events for everybody, which are committed at once. */
  publish(count: number): void {
    for (let i = 0; i < count; i += 1) {
      this.database.publish();
      this.database.commit(0);
    }
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#do(step);
      await settle();
    }
  }

  #do(step: Step): void {
    const { database, log, sources } = this;
    if (step.kind === 'publish') database.publish(...TRANSACTIONS[step.which % TRANSACTIONS.length]!);
    else if (step.kind === 'commit') database.commit(step.which);
    else if (step.kind === 'take') for (let i = 0; i <= step.which; i += 1) log.take();
    else if (step.kind === 'unanswered') log.take(false);
    else if (step.kind === 'drop') log.drop();
    else if ('source' in step) {
      const source = sources[step.source]!;
      if (step.kind === 'hear') source.hear(step.which);
      else if (step.kind === 'sweep') source.sweep();
      else if (step.kind === 'pass') source.pass(step.which * 100);
      else if (step.kind === 'elect') {
        for (const one of sources) one.elected = false;
        source.elected = true;
      } else this.#crash(step.source, step.which % 2 === 0);
    }
  }

  /** @param late - what it has sent may arrive still */
  #crash(which: number, late: boolean): void {
    const old = this.sources[which]!;
    this.#gone.push(old);
    if (!late) this.log.pending = this.log.pending.filter(({ owner }) => owner !== old.number);
    this.log.pending = this.log.pending.map((one) => (one.owner === old.number ? { ...one, done() {} } : one));
    void old.writer.stop();
    this.sources[which] = this.#source(this.#gone.length + 1);
  }

  /**
   * Somebody who knows nothing of the relay writes into the log, as `nats pub` does: in the place of what is on its way.
   *
   * @param posing - with the subject of an event of the last generation
   */
  intrude(posing: boolean): void {
    const claim = this.log.messages.findLast(({ subject }) => subjects.parse(subject)?.kind === 'claim');
    const generation = claim && subjects.parse(claim.subject)!.generation;
    this.log.intrude(posing && generation ? subjects.event(generation, '*') : 'djr.test.hello', 'hello');
  }

  /** Everything works again, and all transactions have ended. */
  async heal(): Promise<void> {
    this.database.commitAll();
    for (let i = 0; i < 60; i += 1) {
      for (const source of this.sources) {
        source.sweep();
        source.pass(500);
      }
      await settle();
      for (let taken = 0; taken < 500 && this.log.pending.length > 0; taken += 1) this.log.take();
      await settle();
    }
  }

  end(): void {
    for (const { writer } of [...this.sources, ...this.#gone]) void writer.stop();
  }
}

/** A world in which one source writes, a checkpoint at a time, and so many events are in the log. */
export async function startWorld(events: number): Promise<World> {
  const world = new World(1000);
  world.sources[0]!.elected = true;
  world.publish(events);
  await world.heal();
  return world;
}
