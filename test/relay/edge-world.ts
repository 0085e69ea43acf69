import type { Envelope } from '../../src/event/envelope.js';
import type { Frontier } from '../../src/event/frontier.js';
import type { Engine } from '../../src/relay/engine.js';
import type { Copy } from '../../src/relay/way.js';
import { EdgeStorage } from '../../src/source/nats/edge-storage.js';
import { EdgeStream } from '../../src/source/nats/edge-stream.js';
import type { Downstream } from '../../src/stream/downstream.js';
import { History } from '../../src/stream/history.js';
import { type FakeDatabase, type FakeLog, matches } from './fakes.js';
import { settle, silent, subjects } from './world.js';

/** What an edge takes out of the log of a world, with a real history; the test decides which live copies come. */
export class EdgeWorld {
  readonly history = new History(10_000, 1_000_000);
  readonly stream: EdgeStream;
  readonly storage: EdgeStorage;
  readonly faults: string[] = [];
  /** Live copies that do not come. */
  isLost: (copy: Copy) => boolean = () => false;
  /** Times that its clients were ended, or told to fetch their state anew. */
  ends = 0;
  /** Resolves when the engine has heard what the edge has sent. */
  flush = async (): Promise<void> => {};
  readonly #database: FakeDatabase;
  readonly #log: FakeLog;

  constructor(database: FakeDatabase, log: FakeLog, interest: 'all' | 'own', maxFill = 50_000) {
    this.#database = database;
    this.#log = log;
    const { history } = this;
    const downstream: Downstream = {
      history,
      newest: undefined,
      deliver: (envelope) => {
        if (envelope.audience !== undefined) history.push(this.stream.head.next(envelope));
      },
      remember: async () => 0,
      setActivity() {},
      presenceChanged() {},
      reconnected() {},
      interrupted: () => {
        this.ends += 1;
      },
      replaced: () => {
        this.ends += 1;
      },
    };
    const engine = this.#engine();
    const own = interest === 'own' ? 'edge' : undefined;
    this.stream = new EdgeStream({ engine, downstream, logger: silent, historyEvents: 5, own, maxFill });
    this.storage = new EdgeStorage({
      engine,
      follower: this.stream.follower,
      history,
      catchUp: async () => {},
      status: () => this.stream.status!,
    });
  }

  /** Compares what it has heard with what the engine has, until nothing is left to be read. */
  async look(): Promise<void> {
    const { follower } = this.stream;
    // The first look may only find that the chain is another one.
    for (let i = 0; i < 3; i += 1) {
      follower.look();
      await follower.idle();
    }
    await settle();
  }

  /** The ids of the events that its history has, in their order. */
  get ids(): number[] {
    return this.history.all().map(({ envelope }) => envelope.id);
  }

  /** The engine as an edge uses it. */
  #engine(): Engine {
    const engine = {
      ...this.#log.view(-1),
      subjects,
      connected: true,
      flush: () => this.flush(),
      ask: async () => {
        throw new Error('no source answers');
      },
      follow: (pattern: string, hear: (copy: Copy, before: number) => void) =>
        this.#log.follow((copy) => {
          const isFor = pattern.endsWith('>') || matches(subjects.live(copy.subject), pattern);
          if (isFor && !this.isLost(copy)) hear(copy, copy.before ?? 0);
        }),
    };
    return engine as unknown as Engine;
  }

  /** What the log brings to a client that comes with a frontier. @returns ids, or why it cannot be had */
  async read(since: Frontier, audiences: readonly string[]): Promise<number[] | string> {
    const ids: number[] = [];
    const client = { audiences, types: null };
    const result = await this.storage.readSince(since, client, undefined, async (envelopes) => {
      ids.push(...envelopes.map(({ id }) => id));
      return envelopes.length;
    });
    return 'reset' in result ? result.reset : ids;
  }

  /**
   * Compares what history promises with what it has: behind any place of the log, and behind any frontier.
   *
   * @param frontiers - with which clients may come
   */
  check(frontiers: readonly Frontier[], audiences: readonly string[]): void {
    const { at } = this.stream.follower;
    if (!at) return;
    for (const frontier of frontiers) {
      if (!this.history.covers(frontier, audiences)) continue;
      const here = new Set(this.history.since(frontier).map(({ envelope }) => envelope.id));
      const owed = this.#database.committed.filter((one) => this.#isOwed(one, frontier, audiences));
      for (const { id } of owed)
        if (!here.has(id)) this.faults.push(`history lacks event ${id}, and covers its frontier`);
    }
    if (this.stream.head.order !== at.generation + at.said.term) return;
    const events = this.#log.messages.filter(({ subject }) => {
      const parsed = subjects.parse(subject);
      return parsed?.kind === 'event' && parsed.generation === at.generation;
    });
    for (let place = 1; place <= this.history.lastSequence; place += 1) {
      if (!this.history.reaches(place, audiences)) continue;
      const here = new Set(this.history.after(place, 10_000).map(({ sequence }) => sequence));
      for (const { sequence } of events) {
        if (sequence <= place || sequence > this.history.lastSequence || here.has(sequence)) continue;
        this.faults.push(`history lacks the event at ${sequence}, and reaches ${place}`);
      }
    }
  }

  #isOwed({ audience, xid }: Envelope, frontier: Frontier, audiences: readonly string[]): boolean {
    return audiences.includes(audience!) && frontier.isNew(xid!) && !this.stream.head.reached.isNew(xid!);
  }

  async end(): Promise<void> {
    await this.stream.follower.stop();
  }
}
