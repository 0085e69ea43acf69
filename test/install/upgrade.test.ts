import test from 'ava';
import type pg from 'pg';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { createRealtime } from '../../src/index.js';
import { migrate, printMigrations } from '../../src/install/migrate.js';
import { MIGRATIONS } from '../../src/install/migration-files.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startApp } from '../helpers/server.js';

const migrations = MIGRATIONS;

/** Installs what the first release had. */
async function installOldest(db: TestDatabase): Promise<void> {
  const sql = await printMigrations();
  const last = sql.indexOf(`values ('${migrations[0]!.name}'`);
  await db.query(sql.slice(0, sql.indexOf(';', last) + 1));
}

/** What an event had in the first release. */
const events = (db: TestDatabase) =>
  db.query(
    `select id, xid, scope, user_id, type, detail, private_data, created_at, key, replay_of from djr.event order by id`,
  );
const fetchAll = async (client: pg.ClientBase, sql: string) => (await client.query(sql)).rows;

test('an upgrade from the first release keeps every event and setting, and makes what a new installation makes', async (t) => {
  const [upgraded, fresh] = [await createDatabase(t, { template: null }), await createDatabase(t)];
  await installOldest(upgraded);
  await upgraded.query(`select djr.configure(retention => '30 days', activity => 'full', channel => 'mine')`);
  await upgraded.query(`select djr.publish(42, 'paid', '{"n": 1}', '{"secret": true}', 'a key'), djr.publish_global('news'),
    djr.publish_system('stale'), djr.replay(1)`);
  await upgraded.query(`insert into djr.activity (event_id, status, recipients) values (1, 'sent', 3)`);
  const before = await events(upgraded);
  const settings = await upgraded.query('select * from djr.settings');

  t.deepEqual(
    await migrate(upgraded.url),
    migrations.slice(1).map(({ name }) => name),
  );
  t.deepEqual(await events(upgraded), before);
  t.like((await upgraded.query('select * from djr.settings'))[0], settings[0]!);
  t.deepEqual(await upgraded.query('select status, recipients from djr.event_status where id = 1'), [
    { status: 'sent', recipients: '3' },
  ]);
  // Ids go on where they were, and the key of before is known.
  t.deepEqual(await upgraded.query(`select djr.publish_global('next') as id`), [{ id: String(before.length + 1) }]);
  t.deepEqual(await upgraded.query(`select djr.publish(42, 'paid', '{}', null, 'a key') as id`), [{ id: '1' }]);
  t.is(await dumpSchema(await upgraded.connect()), await dumpSchema(await fresh.connect()));
});

test('no publisher fails or loses an event while the schema under it is upgraded', async (t) => {
  const db = await createDatabase(t, { template: null });
  await installOldest(db);
  const publishers = await Promise.all(Array.from({ length: 6 }, () => db.connect()));
  const published: string[] = [];
  const failures: unknown[] = [];
  let upgraded = false;
  const running = publishers.map(async (client, n) => {
    for (let after = 0; after < 20; after += upgraded ? 1 : 0) {
      try {
        const ids: string[] = [];
        // Transactions of several statements, as they hold their locks between them.
        await client.query('begin');
        ids.push((await fetchAll(client, `select djr.publish(${n}, 'paid') as id`))[0].id);
        ids.push(
          (await fetchAll(client, `insert into djr.event (scope, type) values ('public', 'news') returning id`))[0].id,
        );
        for (const { id } of await fetchAll(client, `select djr.publish_many('[{"user_id": 1, "type": "a"}]') as id`))
          ids.push(id);
        await client.query('commit');
        published.push(...ids);
      } catch (error) {
        failures.push(error);
        await client.query('rollback');
      }
    }
  });
  await migrate(db.url);
  upgraded = true;
  await Promise.all(running);
  t.deepEqual(failures, []);
  const stored = (await events(db)).map(({ id }) => id as string);
  t.deepEqual(stored.sort(), published.sort());
});

test('roles keep what they were granted, and may use what the upgrade brings', async (t) => {
  const db = await createDatabase(t, { template: null });
  await installOldest(db);
  const role = `upgraded_${db.name}`;
  await db.query(`create role ${role} login password 'secret'`);
  t.teardown(() => db.query(`drop owned by ${role} cascade; drop role ${role}`));
  await db.query(`select djr.grant_publish('${role}'), djr.grant_server('${role}')`);
  await migrate(db.url);
  const url = new URL(db.url);
  url.username = role;
  url.password = 'secret';
  const complaints: unknown[] = [];
  const complain = (context: unknown) => complaints.push(context);
  const realtime = createRealtime({
    database: url.href,
    logger: { debug: complain, info() {}, warn: complain, error: complain },
  });
  t.teardown(() => realtime.stop());
  await realtime.start();
  const got = new Promise((resolve) => realtime.subscribe('paid', ({ userId }) => resolve(userId)));
  await realtime.publish({ userId: 42, type: 'paid' });
  t.is(await got, '42');
  await realtime.stop();
  t.deepEqual(complaints, []);
  t.deepEqual(await db.query('select status from djr.activity'), [{ status: 'dispatched' }]);
});

test('an event of a type that is reserved since the upgrade is read and replayed as before, and nobody can publish another', async (t) => {
  const db = await createDatabase(t, { template: null });
  await installOldest(db);
  const words = ['disconnected', 'heartbeat', 'state', 'error', 'left', 'refused', 'presence', 'djr:own'];
  const [{ since }] = (await db.query('select pg_current_snapshot()::text as since')) as [{ since: string }];
  await db.query(`select djr.publish_global(type, '{"n": 1}') from unnest($1::text[]) type`, [words]);
  const before = await events(db);
  await migrate(db.url);
  t.deepEqual(await events(db), before);
  t.deepEqual(await db.query('select count(*) from djr.event_status'), [{ count: String(words.length) }]);

  const app = await startApp(t, { heartbeat: 100 }, db);
  for (const query of ['?', '?heartbeat=1&', '?named=1&']) {
    const stream = await app.stream(`${query}since=${since}`);
    const frames = await stream.count(words.length);
    // The number in the id tells them from the stream's own words, which have 0.
    t.deepEqual(
      frames.map(({ id, data }) => [id!.split('-')[0], data.type]),
      before.map(({ id, type }) => [id, type]),
    );
    // An EventSource would call `onerror`.
    t.false(frames.some(({ event }) => event === 'error'));
    t.deepEqual(stream.resets, []);
  }
  t.deepEqual(
    app.lines.filter(({ level }) => level === 'error'),
    [],
  );
  for (const word of words) {
    const refused = await t.throwsAsync(db.query('select djr.publish_global($1)', [word]));
    t.regex(refused!.message, /must not (be one that|begin with)/);
  }
  // A replay tells it again, with the number of a new event.
  await db.query('select djr.replay(1)');
  await db.query(`update djr.event set private_data = '{}'`);
  await db.query('delete from djr.event');
  t.deepEqual(await events(db), []);
});
