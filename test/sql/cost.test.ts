import test from 'ava';
import { createDatabase } from '../helpers/database.js';

/** 50,000 events that were there before, without their having been published; the planner knows how many. */
const FILL = `alter table djr.event disable trigger user;
  insert into djr.event (scope, user_id, type, detail, key)
    select 'user', (i % 1000)::text, 'filled', '{}', 'key ' || i from generate_series(1, 50000) i;
  alter table djr.event enable trigger user;
  analyze djr.event`;

const CALLS: Record<string, string> = {
  publish: `select djr.publish(42, 'paid', '{"a": 1}')`,
  'publish with a new key': `select djr.publish(42, 'paid', '{}', null, 'new')`,
  'publish with a key that was used': `select djr.publish(0, 'filled', '{}', null, 'key 25000')`,
  publish_many: `select djr.publish_many('[{"user_id": 1, "type": "a"}, {"user_id": 7, "type": "filled", "key": "key 7"}]')`,
  INSERT: `insert into djr.event (scope, type) values ('public', 'a')`,
  replay: 'select djr.replay(array[1, 40000])',
};

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} reads no more of a large table than of a small one`, async (t) => {
    const db = await createDatabase(t);
    await db.query(FILL);
    const client = await db.connect();
    // Plans are made once a session, some of them for good only after five calls.
    for (let n = 0; n < 7; n += 1) {
      await client.query('begin');
      await client.query(call);
      await client.query('rollback');
    }
    // What this session counted and has not handed in yet; `read`: by sequential scans.
    const { rows } = await client.query<{ read: string; fetched: string }>(
      `select seq_tup_read as read, coalesce(idx_tup_fetch, 0) as fetched
         from pg_stat_xact_user_tables where relid = 'djr.event'::regclass`,
    );
    t.is(Number(rows[0]!.read), 0);
    t.true(Number(rows[0]!.fetched) <= 7 * 6);
  });
}
