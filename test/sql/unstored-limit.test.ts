import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { listen } from '../helpers/sql.js';

const rows = async (db: TestDatabase) => (await db.query('select from djr.event')).length;

const one = async (db: TestDatabase, call: string): Promise<number | null> => {
  const [row] = await db.query<{ id: string | null }>(`select ${call} as id`);
  return row!.id === null ? null : Number(row!.id);
};

test('while delivery sweeps, what has no row still goes by NOTIFY, up to a limit; what is beyond is dropped, returns null and is counted', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(delivery => 'sweep'), setval('djr.unstored_limit', 100)`);
  const listener = await listen(db);
  const many = `select djr.publish('ann', 'n', jsonb_build_object('n', n), store => false) as id from generate_series(1, 1000) n`;
  const ids = (await db.query<{ id: string | null }>(many)).map(({ id }) => id);
  const sent = ids.filter((id) => id !== null);
  // Ten in a tenth of a second: a query of a thousand may take several of them.
  t.true(sent.length >= 10 && sent.length < 500, `${sent.length} were sent`);
  const [{ dropped }] = (await db.query(`select pg_sequence_last_value('djr.unstored_dropped') as dropped`)) as [
    { dropped: string },
  ];
  t.is(Number(dropped), 1000 - sent.length);
  t.deepEqual(
    (await listener.messages(sent.length)).map((message) => String(JSON.parse(message.split('\t')[0]!)[0])),
    sent,
  );
  const element = { user_id: 1, type: 'n', store: false };
  const answers = await db.query<{ id: string | null }>('select djr.publish_many($1) as id', [
    JSON.stringify(Array(300).fill(element)),
  ]);
  t.is(answers.length, 300);
  t.true(answers.some(({ id }) => id === null));
  // What is stored is not dropped, whatever else is.
  t.truthy(await one(db, `djr.publish('ann', 'stored')`));
  t.is(await rows(db), 1);
});

test('while delivery is notify nothing is dropped', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select setval('djr.unstored_limit', 20)`);
  const many = `select djr.publish('ann', 'n', store => false) as id from generate_series(1, 1000)`;
  t.false((await db.query(many)).some(({ id }) => id === null));
});

test('pace_unstored halves the limit while commits queue, raises it by an eighth while they do not, and keeps it within its bounds', async (t) => {
  const db = await createDatabase(t);
  t.is(await one(db, 'djr.pace_unstored(true)'), 500);
  t.is(await one(db, 'djr.pace_unstored(false)'), 562);
  for (let n = 0; n < 10; n += 1) await db.query('select djr.pace_unstored(true)');
  t.is(await one(db, 'djr.pace_unstored(true)'), 20);
  await db.query(`select djr.pace_unstored(false) from generate_series(1, 100)`);
  t.is(await one(db, 'djr.pace_unstored(false)'), 10_000);
});

/** The tenth of a second, by the clock of the database. */
const TENTH = 'trunc(extract(epoch from clock_timestamp()) * 10)';

test('In each tenth of a second a tenth of the limit is sent', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(delivery => 'sweep'), setval('djr.unstored_limit', 100)`);
  // What is published from the beginning of a tenth on; again where the machine took longer than that tenth.
  await db.query(`create function public.in_a_tenth() returns integer language plpgsql as $$
    declare
      _tenth numeric;
      _sent integer;
    begin
      loop
        _tenth := ${TENTH};
        while ${TENTH} = _tenth loop
          perform pg_sleep(0.002);
        end loop;
        _tenth := ${TENTH};
        _sent := (select count(djr.publish('ann', 'n', store => false)) from generate_series(1, 30));
        exit when ${TENTH} = _tenth;
      end loop;
      return _sent;
    end $$`);
  t.is(await one(db, 'public.in_a_tenth()'), 10);
  t.is(await one(db, 'public.in_a_tenth()'), 10);
});

test('In a second no more is sent than the limit allows for each tenth that it touches', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(delivery => 'sweep'), setval('djr.unstored_limit', 20)`);
  await db.query(`create function public.in_a_second(out sent integer, out tenths integer) language plpgsql as $$
    declare
      _end timestamptz := clock_timestamp() + interval '1 second';
      _first numeric := ${TENTH};
    begin
      sent := 0;
      while clock_timestamp() < _end loop
        sent := sent + (djr.publish('ann', 'n', store => false) is not null)::int;
        perform pg_sleep(0.004);
      end loop;
      tenths := ${TENTH} - _first + 1;
    end $$`);
  const [found] = await db.query<{ sent: number; tenths: number }>('select * from public.in_a_second()');
  t.true(found!.sent <= 2 * found!.tenths, `${found!.sent} in ${found!.tenths} tenths of a second`);
});
