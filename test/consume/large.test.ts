import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { recordingLogger, until } from '../helpers/server.js';

const LARGE = 1_000_000;

/** Of the events from 1 to 12 every third is large; the last has a key. */
const PUBLISH = `
  select djr.publish_many(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
    'scope', 'public', 'type', 'n', 'detail', jsonb_build_object('n', n, 'pad', repeat('x', case n % 3 when 0 then $1::int else 1 end)),
    'key', case n when 12 then 'last' end
  )) order by n)) from generate_series(1, 12) n`;

const expected = Array.from({ length: 12 }, (_, i) => [i + 1, (i + 1) % 3 === 0 ? LARGE : 1]);

test('A consumer gets large events whole and in order with the small ones, from publish_many and under a key, in one call or many', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(max_bytes => 1048576)');
  await db.query(`select djr.create_consumer('all'), djr.create_consumer('few')`);
  const ids = await db.query<{ id: string }>(`select * from (${PUBLISH}) published (id)`, [LARGE]);
  t.is(ids.length, 12);
  const take = async (name: string, most: number) =>
    (
      await db.query<{ n: number; bytes: number }>(
        `select (detail ->> 'n')::int as n, length(detail ->> 'pad') as bytes from djr.consume($1, $2)`,
        [name, most],
      )
    ).map(({ n, bytes }) => [n, bytes]);
  t.deepEqual(await take('all', 100), expected);
  const few: unknown[] = [];
  for (let call = 0; call < 3; call += 1) few.push(...(await take('few', 5)));
  t.deepEqual(few, expected);
  // A second publish under the key is the first one's event, however large.
  const again = await db.query<{ id: string }>(
    `select djr.publish_public('n', jsonb_build_object('pad', repeat('y', $1::int)), key => 'last') as id`,
    [LARGE],
  );
  t.is(again[0]!.id, ids[11]!.id);
  t.deepEqual(await take('all', 100), []);
});

test('realtime.consume hands over large events, and takes a batch of them back when the handler throws', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(max_bytes => 1048576)');
  const { logger } = recordingLogger();
  const realtime = createRealtime<Record<string, { n: number; pad: string }>>({ database: db.url, logger });
  t.teardown(() => realtime.stop());
  const got: number[][] = [];
  let failed = false;
  realtime.consume(
    'billing',
    (events) => {
      if (!failed) {
        failed = true;
        throw new Error('once');
      }
      got.push(...events.map(({ detail }) => [detail.n, detail.pad.length]));
    },
    { create: { from: 'start' } },
  );
  await db.query(PUBLISH, [LARGE]);
  await until('all were handled', () => got.length >= 12);
  t.deepEqual(got, expected);
});
