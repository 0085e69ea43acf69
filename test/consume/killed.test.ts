import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { forkCompiled } from '../helpers/fork-compiled.js';
import { until } from '../helpers/server.js';

const WORKER = new URL('worker.ts', import.meta.url);

async function startWorker(t: ExecutionContext, db: TestDatabase, ...args: string[]): Promise<ChildProcess> {
  const worker = forkCompiled(WORKER, [db.url, ...args], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  t.teardown(() => worker.kill('SIGKILL'));
  await once(worker, 'message');
  return worker;
}

const range = (to: number) => Array.from({ length: to }, (_, i) => i + 1);

/** Each event has had its effect once: there is no constraint that would hide a second one. */
async function effects(db: TestDatabase): Promise<number[]> {
  return (await db.query<{ n: number }>('select n from effect order by n')).map(({ n }) => n);
}

async function setUp(t: ExecutionContext): Promise<TestDatabase> {
  const db = await createDatabase(t);
  await db.query(`create table effect (n int, worker int); select djr.create_consumer('billing')`);
  return db;
}

const PUBLISH = `insert into djr.event (scope, type, detail)
  select 'public', 'note', jsonb_build_object('n', n) from generate_series($1::int, $2::int) n`;

for (const step of ['begun', 'handled', 'committing']) {
  test(`A process that is killed when its batch is ${step}: the next one goes on, and each event has had its effect once`, async (t) => {
    const db = await setUp(t);
    await db.query(PUBLISH, [1, 50]);
    const worker = await startWorker(t, db, step);
    if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
    t.is(worker.signalCode, 'SIGKILL');
    await startWorker(t, db);
    await until('all effects', async () => (await effects(db)).length >= 50);
    t.deepEqual(await effects(db), range(50));
  });
}

for (const mode of ['one at a time', 'share']) {
  test(`Two processes, ${mode}, killed again and again beside 20 writers whose transactions commit late: every effect once`, async (t) => {
    const db = await setUp(t);
    const total = 2000;
    const writers = 20;
    let published = 0;
    let outbox = 0;
    const missed: number[] = [];
    const write = async (writer: number) => {
      const client = await db.connect();
      for (let n = writer + 1; n <= total; n += writers) {
        await client.query('begin');
        await client.query(PUBLISH, [n, n]);
        // Some take their numbers long before they commit, and some never do.
        if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, (n % 5) * 8));
        if (n % 11 === 0) {
          await client.query('rollback; begin');
          await client.query(PUBLISH, [n, n]);
        }
        await client.query('commit');
        published += 1;
      }
    };
    // What one does without a consumer: ask an outbox for what is behind the last id.
    const poll = async () => {
      let last = 0;
      const seen = new Set<number>();
      for (let isOver = false; !isOver; ) {
        isOver = published === total;
        const rows = await db.query<{ id: string; n: number }>(
          `select id, (detail ->> 'n')::int as n from djr.event where id > $1 order by id`,
          [last],
        );
        for (const { id, n } of rows) {
          last = Number(id);
          seen.add(n);
        }
        // Less than a transaction stays open, and no more often than that.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      outbox = seen.size;
      missed.push(...range(total).filter((n) => !seen.has(n)));
    };
    const args = mode === 'share' ? ['never', 'share'] : [];
    const workers: ChildProcess[] = await Promise.all([startWorker(t, db, ...args), startWorker(t, db, ...args)]);
    const writing = Promise.all([poll(), ...range(writers).map((writer) => write(writer - 1))]);
    for (let kills = 0; published < total; kills += 1) {
      const before = (await effects(db)).length;
      await until('progress', async () => published === total || (await effects(db)).length > before + 100);
      workers[kills % 2]!.kill('SIGKILL');
      workers[kills % 2] = await startWorker(t, db, ...args);
    }
    await writing;
    await until('all effects', async () => (await effects(db)).length >= total);
    t.deepEqual(await effects(db), range(total));
    t.log(`an outbox polled by id > last missed ${missed.length} of ${total}`);
    t.is(outbox + missed.length, total);
    t.true(missed.length > 0, 'ids are given out before transactions commit');
  });
}
