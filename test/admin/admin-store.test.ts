import { randomBytes } from 'node:crypto';
import test from 'ava';
import pg from 'pg';
import { type EventFilter, listQuery, type PageKey } from '../../src/admin/event-filter.js';
import { AdminStore } from '../../src/admin/store.js';
import { createDatabase } from '../helpers/database.js';

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: Plan[];
}

const scanned = (plan: Plan): string[] => [
  ...(plan['Node Type'] === 'Seq Scan' && plan['Relation Name'] === 'event' ? ['event'] : []),
  ...(plan.Plans ?? []).flatMap(scanned),
];

test('no list reads the table from end to end, whatever is filtered and wherever the page is', async (t) => {
  const db = await createDatabase(t);
  await db.query('alter table djr.event disable trigger all');
  await db.query(
    `insert into djr.event (scope, type, user_id, detail, created_at)
     select 'user', 'type_' || i % 50, 'user_' || i % 500, jsonb_build_object('n', i), now() - i * interval '1 s'
       from generate_series(1, 50000) i`,
  );
  await db.query('create index event_detail on djr.event using gin (detail jsonb_path_ops)');
  await db.query('analyze djr.event');
  const filters: [string, EventFilter][] = [
    ['nothing', {}],
    ['id', { id: '77' }],
    ['type', { type: 'type_7' }],
    ['types', { type: 'type_*' }],
    ['user', { user: 'user_7' }],
    ['scope', { scope: 'user' }],
    ['dates', { from: new Date(Date.now() - 60_000), to: new Date() }],
    ['dates long ago', { from: new Date(0), to: new Date(Date.now() - 49_000_000) }],
    ['detail', { detail: '{"n": 77}' }],
    ['status', { status: 'new' }],
    ['status and user', { status: 'new', user: 'user_7' }],
  ];
  const keys: PageKey[] = [{}, { before: '25000' }, { after: '25000' }];
  for (const [name, filter] of filters) {
    for (const key of keys) {
      const { text, values } = listQuery(filter, key, 51);
      const [row] = await db.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`explain (format json) ${text}`, values);
      t.deepEqual(scanned(row!['QUERY PLAN'][0]!.Plan), [], `${name} ${JSON.stringify(key)}`);
    }
  }
});

test('a role with what grant_server gives can do all that the admin does', async (t) => {
  const db = await createDatabase(t);
  const role = `djr_server_${randomBytes(4).toString('hex')}`;
  await db.query(`create role ${role} login password 'secret'`);
  await db.query('select djr.grant_server($1)', [role]);
  await db.query(`select djr.publish('42', 'paid', '{"n": 1}', '{"card": 1}')`);
  const url = new URL(db.url);
  url.username = role;
  url.password = 'secret';
  const pool = new pg.Pool({ connectionString: url.href });
  t.teardown(async () => {
    await pool.end();
    await db.query(`drop owned by ${role}; drop role ${role}`);
  });

  const store = new AdminStore(() => pool);
  t.deepEqual(await store.replay(['1']), ['2']);
  t.is((await store.list({ status: 'new' }, {}, 50)).events.length, 2);
  t.deepEqual(await store.recentTypes(), ['paid']);
  t.deepEqual((await store.find('1'))?.replays, ['2']);
  t.is(await store.privateData('1'), '{\n    "card": 1\n}');
  t.is((await store.findAll(['2', '1'])).map(({ id }) => id).join(), '2,1');
  t.is((await store.overview()).settings.storage, true);
  t.regex(await store.secret(), /^djr_[0-9a-f]{32}$/);
});

test('an index on the detail is seen, and one on something else is not taken for it', async (t) => {
  const db = await createDatabase(t);
  const store = new AdminStore(() => db.pool);
  t.false(await store.hasDetailIndex());
  await db.query('create index on djr.event using gin (private_data)');
  t.false(await store.hasDetailIndex());
  await db.query('create index on djr.event using gin (detail jsonb_path_ops)');
  t.true(await store.hasDetailIndex());
});

test('searches wait for one another, a bounded number of them, and never hold a broken connection', async (t) => {
  const db = await createDatabase(t);
  const store = new AdminStore(() => db.pool);
  const blocker = await db.connect();
  await blocker.query('begin; lock table djr.event');
  const searches = Array.from({ length: 23 }, () => store.list({}, {}, 50));
  const outcomes = Promise.allSettled(searches);
  await t.throwsAsync(searches[22]!, { code: 'DJR_BUSY' });
  await blocker.query('rollback');
  const failed = (await outcomes).filter(({ status }) => status === 'rejected');
  t.is(failed.length, 1);
  t.deepEqual((await store.list({}, {}, 50)).events, []);
});
