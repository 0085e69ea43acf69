import type { ExecutionContext } from 'ava';
import { type ConsumeOptions, createRealtime } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { recordingLogger } from '../helpers/server.js';

export const CREATE = { from: 'start' };

/** A runtime that consumes into the table `effect`, through the transaction of the batch. */
export async function setUp(t: ExecutionContext, db?: TestDatabase, options = {}) {
  const own = db ?? (await createDatabase(t));
  if (!db) await own.query('create table effect (n int, id bigint)');
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime<Record<string, { n: number }>>({
    database: own.url,
    logger,
    shutdownGrace: 2000,
    ...options,
  });
  t.teardown(() => realtime.stop());
  const batches: number[][] = [];
  const consume = (
    handler: (numbers: number[]) => unknown = () => {},
    consuming: ConsumeOptions = { create: CREATE },
  ) =>
    realtime.consume(
      'billing',
      async (events, { client }) => {
        const numbers = events.map(({ detail }) => detail.n);
        for (const { id, detail } of events) {
          await client.query('insert into effect values ($1, $2)', [detail.n, id]);
        }
        await handler(numbers);
        batches.push(numbers);
      },
      consuming,
    );
  const effects = async () => (await own.query<{ n: number }>('select n from effect order by id')).map(({ n }) => n);
  return { db: own, realtime, lines, batches, consume, effects };
}

export const publish = (db: TestDatabase, ...numbers: number[]) =>
  db.query(
    `insert into djr.event (scope, type, detail) select 'public', 'note', jsonb_build_object('n', n) from unnest($1::int[]) n`,
    [numbers],
  );

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
