import { mock } from 'node:test';
import test from 'ava';
import type pg from 'pg';
import { ownershipOf } from '../../src/postgres/ownership.js';
import { createDatabase } from '../helpers/database.js';

/**
 * A pooler by its principle, for those that no test can start (Odyssey, PgCat, pgagroal): a statement gets a backend, and
 * outside a transaction gives it back. `order` says which of the idle ones it gets; `tells` which process id clients are told.
 */
class Pooler {
  readonly #idle: number[];
  readonly #order: 'newest' | 'oldest';
  readonly #tells: 'random' | 'a real one';
  #waiting: (() => void)[] = [];

  constructor(backends: number, order: 'newest' | 'oldest', tells: 'random' | 'a real one') {
    this.#idle = Array.from({ length: backends }, (_, n) => 100 + n);
    this.#order = order;
    this.#tells = tells;
  }

  async #take(): Promise<number> {
    while (this.#idle.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return (this.#order === 'newest' ? this.#idle.pop() : this.#idle.shift())!;
  }

  #give(backend: number): void {
    this.#idle.push(backend);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  connect(): pg.Client {
    let held: number | undefined;
    const next = this.#order === 'newest' ? this.#idle.at(-1) : this.#idle[0];
    const client = {
      processID: this.#tells === 'random' ? 7 : next,
      query: async (asked: string | { text: string }) => {
        const text = typeof asked === 'string' ? asked : asked.text;
        const backend = held ?? (await this.#take());
        if (text.startsWith('begin')) held = backend;
        else if (held === undefined) this.#give(backend);
        return { rows: [{ pid: backend }] };
      },
      end: async () => {
        if (held !== undefined) this.#give(held);
        held = undefined;
      },
    };
    return client as unknown as pg.Client;
  }
}

for (const backends of [1, 2, 3, 10]) {
  for (const order of ['newest', 'oldest'] as const) {
    for (const tells of ['random', 'a real one'] as const) {
      test(`a pooler with ${backends} backends that gives the ${order} and tells ${tells} shares them`, async (t) => {
        const pooler = new Pooler(backends, order, tells);
        t.is(await ownershipOf(pooler.connect(), async () => pooler.connect()), 'shared');
      });
    }
  }
}

test('a pooler shares its backends, also where it gives the same one to a connection many times by chance', async (t) => {
  const answering = (...pids: number[]) => {
    let asked = 0;
    const query = async () => ({ rows: [{ pid: pids[Math.min(asked++, pids.length - 1)] }] });
    return { processID: 7, query, end: async () => {} } as unknown as pg.Client;
  };
  const sameFor = (times: number) => answering(...Array<number>(times).fill(100), 101);
  for (const times of [1, 5, 30]) {
    t.is(await ownershipOf(sameFor(times), async () => answering(102)), 'shared', String(times));
  }
  t.is(await ownershipOf(answering(100), async () => answering(102)), 'unknown');
});

test.serial('a pooler in session mode that is far away is not taken for one in transaction mode', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const far = (pid: number) => {
    const query = async () => {
      mock.timers.tick(400);
      return { rows: [{ pid }] };
    };
    return { processID: 7, query, end: async () => {} } as unknown as pg.Client;
  };
  t.is(await ownershipOf(far(100), async () => far(102)), 'unknown');
});

test('a direct connection is its own; where no second one can be made nobody knows', async (t) => {
  const db = await createDatabase(t);
  t.is(await ownershipOf(await db.connect(), () => db.connect()), 'own');
  const none = () => Promise.reject(new Error('too many connections'));
  t.is(await ownershipOf(await db.connect(), none), 'unknown');
});
