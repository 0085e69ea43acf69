import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import type pg from 'pg';
import { createDatabase } from '../helpers/database.js';

const LEVELS = ['read committed', 'repeatable read', 'serializable'];
const MODES = ['wait', 'skip', 'share'];

for (const mode of ['wait', 'share', 'every mode and isolation level']) {
  test(`Pruning all the while, beside late commits and callers that roll back (${mode}): no consumer is overtaken, and none lacks an event`, async (t) => {
    const db = await createDatabase(t);
    await db.query(`create table effect (consumer text, n int);
      select djr.create_consumer('a'), djr.create_consumer('b', types => array['odd']), djr.configure(retention => '1 microsecond')`);
    const total = 400;
    let isOver = false;
    const write = async (writer: number) => {
      const client = await db.connect();
      for (let n = writer; n < total; n += 8) {
        await client.query('begin');
        await client.query(`select djr.publish_public($1, jsonb_build_object('n', $2::int))`, [
          n % 2 ? 'odd' : 'even',
          n,
        ]);
        if (n % 5 === 0) await setTimeout(10);
        await client.query('commit');
      }
    };
    const consume = async (consumer: string) => {
      const client = await db.connect();
      for (let turn = 0, empty = 0; empty < 3; turn += 1) {
        const isOne = MODES.includes(mode);
        await client.query(`begin isolation level ${isOne ? LEVELS[0] : LEVELS[turn % 3]}`);
        try {
          const { rowCount } = await client.query(
            `insert into effect select $1, (detail ->> 'n')::int from djr.consume($1, 7, $2)`,
            [consumer, isOne ? mode : MODES[(turn >> 2) % 3]],
          );
          await client.query(turn % 4 === 0 ? 'rollback' : 'commit');
          empty = isOver && rowCount === 0 ? empty + 1 : 0;
          if (rowCount === 0) await setTimeout(2);
        } catch (error) {
          // Another caller was faster.
          if ((error as pg.DatabaseError).code !== '40001') throw error;
          await client.query('rollback');
        }
      }
    };
    let pruned = 0;
    const prune = async () => {
      while (!isOver) {
        pruned += Number((await db.query('select djr._prune_turn(50) as n'))[0]!.n);
        await setTimeout(1);
      }
    };
    const consuming = Promise.all([consume('a'), consume('a'), consume('b'), consume('b')]);
    const pruning = Promise.all([prune(), prune()]);
    await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)));
    isOver = true;
    await Promise.all([consuming, pruning]);
    const seen = (consumer: string) =>
      db.query<{ n: number }>('select n from effect where consumer = $1 order by n', [consumer]);
    t.deepEqual(
      (await seen('a')).map(({ n }) => n),
      Array.from({ length: total }, (_, n) => n),
    );
    t.deepEqual(
      (await seen('b')).map(({ n }) => n),
      Array.from({ length: total / 2 }, (_, n) => 2 * n + 1),
    );
    t.true(pruned > 0);
    t.deepEqual(await db.query('select overtaken, lag from djr.consumer'), [
      { overtaken: null, lag: '0' },
      { overtaken: null, lag: '0' },
    ]);
  });
}
