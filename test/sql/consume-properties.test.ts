import test from 'ava';
import fc from 'fast-check';
import type pg from 'pg';
import { createDatabase } from '../helpers/database.js';
import { cases } from '../helpers/fuzz.js';

/** Sessions that publish, and those that consume; each has at most one transaction at a time. */
const PUBLISHERS = 4;
const CONSUMERS = 3;

type Step =
  | { do: 'publish'; session: number; count: number; savepoint: boolean }
  | { do: 'consume'; session: number; limit: number; mode: 'skip' | 'share'; level: string; publishes: boolean }
  | { do: 'end'; session: number; consumer: boolean; commit: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('publish' as const),
    session: fc.nat(PUBLISHERS - 1),
    count: fc.integer({ min: 1, max: 5 }),
    savepoint: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('consume' as const),
    session: fc.nat(CONSUMERS - 1),
    limit: fc.integer({ min: 1, max: 6 }),
    mode: fc.constantFrom('skip' as const, 'share' as const),
    level: fc.constantFrom('read committed', 'read uncommitted', 'repeatable read', 'serializable'),
    publishes: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('end' as const),
    session: fc.nat(Math.max(PUBLISHERS, CONSUMERS) - 1),
    consumer: fc.boolean(),
    commit: fc.boolean(),
  }),
);

/** Another transaction was in the way, or would have to end first, which nobody here does meanwhile. */
const isRefused = (error: unknown): boolean => ['40001', '55P03'].includes((error as pg.DatabaseError).code ?? '');

/** What a transaction has published and consumed so far. */
class Session {
  readonly client: pg.Client;
  isOpen = false;
  published: number[] = [];
  consumed: number[] = [];

  constructor(client: pg.Client) {
    this.client = client;
  }

  async begin(level = 'read committed'): Promise<void> {
    if (this.isOpen) return;
    await this.client.query(`begin isolation level ${level}`);
    this.isOpen = true;
  }

  async publish(count: number): Promise<void> {
    const { rows } = await this.client.query<{ id: string }>(
      `select djr.publish_public(case n % 2 when 0 then 'even' else 'odd' end) as id from generate_series(1, $1) n`,
      [count],
    );
    this.published.push(...rows.map(({ id }) => Number(id)));
  }

  /** @returns what became of it when it committed */
  async end(commit: boolean): Promise<{ published: number[]; consumed: number[] }> {
    const { published, consumed } = this;
    const isOpen = this.isOpen;
    this.published = [];
    this.consumed = [];
    this.isOpen = false;
    if (isOpen) await this.client.query(commit ? 'commit' : 'rollback');
    return commit ? { published, consumed } : { published: [], consumed: [] };
  }
}

test('Whatever commits in whatever order, and whoever consumes how much, a consumer has each committed event once', async (t) => {
  const db = await createDatabase(t);
  const sessions = async (count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => new Session(await db.connect({ options: '-c lock_timeout=20ms' }))),
    );
  const publishers = await sessions(PUBLISHERS);
  const consumers = await sessions(CONSUMERS);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      await db.query(`select djr.create_consumer('c')`);
      const published = new Set<number>();
      const consumed: number[] = [];
      const end = async (session: Session, commit: boolean) => {
        const ended = await session.end(commit).catch((error: unknown) => {
          if (isRefused(error)) return { published: [], consumed: [] };
          throw error;
        });
        for (const id of ended.published) published.add(id);
        consumed.push(...ended.consumed);
      };
      try {
        for (const one of steps) {
          if (one.do === 'publish') {
            const session = publishers[one.session]!;
            await session.begin();
            if (one.savepoint) await session.client.query('savepoint part');
            await session.publish(one.count);
            if (one.savepoint) await session.client.query('release part');
          } else if (one.do === 'end') {
            const session = (one.consumer ? consumers : publishers)[one.session];
            if (session) await end(session, one.commit);
          } else {
            const session = consumers[one.session]!;
            await session.begin(one.level);
            try {
              if (one.publishes) await session.publish(1);
              const { rows } = await session.client.query<{ id: string }>('select id from djr.consume($1, $2, $3)', [
                'c',
                one.limit,
                one.mode,
              ]);
              session.consumed.push(...rows.map(({ id }) => Number(id)));
            } catch (error) {
              if (!isRefused(error)) throw error;
              await session.end(false);
            }
          }
        }
        for (const session of [...publishers, ...consumers]) {
          await end(session, true);
        }
        for (;;) {
          const rows = await db.query<{ id: string }>(`select id from djr.consume('c', 7)`);
          if (rows.length === 0) break;
          consumed.push(...rows.map(({ id }) => Number(id)));
        }
        const sorted = (ids: Iterable<number>) => [...ids].sort((a, b) => a - b);
        t.deepEqual(sorted(consumed), sorted(published));
        t.deepEqual(await db.query('select from djr._consumer_done'), []);
      } finally {
        for (const session of [...publishers, ...consumers]) await session.end(false);
        await db.query(`select djr.drop_consumer('c')`);
      }
    }),
    cases(100),
  );
});
