import type { ExecutionContext } from 'ava';
import type pg from 'pg';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { diagnose } from '../../src/doctor/diagnosis.js';
import { Frontier } from '../../src/event/frontier.js';
import { migrate } from '../../src/install/migrate.js';
import { readStatistics } from '../../src/instance/statistics.js';
import { DeliveryMode } from '../../src/source/postgres/delivery-mode.js';
import { newSince, recentStatement, sinceStatement } from '../../src/source/postgres/statements.js';
import { Repair } from '../../src/upkeep/repair.js';
import { djr, start } from '../cli/helpers.js';
import type { TestDatabase } from './database.js';
import { logOf } from './logged-server.js';
import { recordingLogger, startApp, until } from './server.js';

/** Statements as an app may send them: all that they name is djr's. */
const PUBLISHERS = [
  "select djr.publish('ann', 'a', '{}', null, 'key'), djr.publish('ann', 'a', '{}', null, 'key')",
  "select djr.publish(42::bigint, 'a'), djr.publish_global('a'), djr.publish_system('a')",
  "select djr.publish_system('a', '{}', 42::bigint), djr.position(), djr.channel(), djr.epoch()",
  `select djr.publish_many('[{"user_id": 1, "type": "a"}, {"scope": "public", "type": "b", "key": "many"}]')`,
  `select djr.publish_many('[{"user_id": 1, "type": "a"}, {"scope": "public", "type": "b"}]')`,
  'select djr.replay(1), djr.replay(array[1, 2]::bigint[])',
  "insert into djr.event (scope, user_id, type, detail) values ('user', 'ann', 'inserted', '{}')",
  "select djr.acknowledge('ann', array[1]::bigint[], 'read')",
  "select djr.configure(retention => interval '1 hour', activity => 'full')",
  "insert into shop.orders values (1, 'ann', 'new', 9.5)",
  "update shop.orders set status = 'paid', total = 10",
  'delete from shop.orders',
  'select * from djr.event_status',
  "select djr.create_consumer('all', 'start'), djr.create_consumer('some', djr.position(), array['a'], array['t'])",
  "select djr.publish_topic('t', 'a'), djr.publish_global('b')",
  "select * from djr.consume('all', 2)",
  "select * from djr.consume('all', 2, 'share')",
  "select * from djr.consume('some', 100, 'skip')",
  'select * from djr.consumer',
  "select djr.configure(consumer_retention => interval '1 second')",
  "select djr.reset_consumer('all'), djr.reset_consumer('some', 'start'), djr.drop_consumer('some')",
];

/** Each is refused, by one rule after the other. */
const REFUSED = [
  "select djr.publish('ann', 'a b')",
  "select djr.publish('ann', 'reset')",
  "select djr.publish('', 'a')",
  "select djr.publish(null::pg_catalog.text, 'a')",
  "select djr.publish('ann', 'a', '[]')",
  "select djr.publish('ann', 'a', '{}', null, '')",
  "select djr.publish_many('{}')",
  `select djr.publish_many('[{"typo": 1}]')`,
  "select djr.publish_many('[1]')",
  "select djr.configure(retention => interval '-1 hour')",
  "select djr.acknowledge('ann', array[1]::bigint[], 'sent')",
  'select djr.replay(4711)',
  "select * from djr.consume('nobody')",
  "select * from djr.consume('all', 0)",
  "select djr.create_consumer('all')",
  "select djr.create_consumer('a b')",
  "select djr.create_consumer('a', 'never')",
];

/** All that djr sends to a database, in one run of everything that it does. */
export async function doEverything(t: ExecutionContext, db: TestDatabase & { own: pg.Client }): Promise<void> {
  await migrate(db.url, { dryRun: true, log: () => {} });
  await migrate(db.url);
  t.deepEqual(await migrate(db.url), []);
  await dumpSchema(await db.connect());
  // The app's own tables have a path without strangers.
  await db.own.query(`create schema shop; create table shop.orders (id int primary key, user_id text, status varchar(9), total numeric(9, 2));
    create trigger publish after insert or update or delete on shop.orders for each row
      execute function djr.publish_row('order', 'user_id', 'id,status,total')`);
  const app = await startApp(
    t,
    {
      admin: { authorize: () => true },
      sweepInterval: 50,
      probeInterval: 200,
      pruneInterval: 100,
      historyEvents: 0,
    },
    db,
  );
  const stream = await app.streamOf('ann');
  let consumed = 0;
  const consumer = (events: unknown[]) => {
    consumed += events.length;
  };
  app.realtime.consume('job', consumer, { create: { types: ['public'] } });
  await until('the consumer is there', async () => (await db.own.query('select from djr.consumer')).rowCount === 1);
  await app.realtime.publish({ scope: 'public', type: 'public', detail: { n: 1 } });
  await app.realtime.publish({ type: 'mine', userId: 'ann', key: 'one' });
  await app.realtime.publish({ type: 'system', scope: 'system', privateData: { secret: 1 } });
  await stream.event('mine');
  for (const statement of PUBLISHERS)
    await db.query(statement).catch((error) => t.fail(`${statement}: ${error.message}`));
  for (const statement of REFUSED) {
    const error = await db.query(statement).then(
      () => undefined,
      (reason: pg.DatabaseError) => reason,
    );
    t.regex(error?.code ?? 'none', /^DJR/, `${statement}: ${error?.message}`);
  }
  await stream.event('inserted');

  // Sweeps that stay prepared, and one that needs a cursor.
  await db.query("select djr.configure(delivery => 'sweep')");
  await db.own.query("select djr.publish_global('bulk') from generate_series(1, 2500)");
  await app.realtime.publish({ type: 'behind', userId: 'ann' });
  await stream.event('behind');
  await db.query("select djr.configure(delivery => 'auto')");

  // A client of another instance reads from storage, with its types; another one from a position.
  const [since] = await db.query<{ position: string }>('select djr.position() as position');
  const id = await app.realtime.publish({ type: 'behind', userId: 'ann' });
  await stream.until('the second', () => stream.types.filter((type) => type === 'behind').length === 2);
  const other = await startApp(t, { historyEvents: 0 }, db);
  await (await other.streamOf('ann', '?types=behind,mine', { lastEventId: stream.frames.at(0)!.id ?? '' })).event(
    'connected',
  );
  const behind = await other.streamOf('ann', `?since=${encodeURIComponent(since!.position)}`);
  await behind.event('behind');
  await other.streamOf('ann', '?types=behind', { lastEventId: stream.lastEventId });

  const get = async (where: string) => (await fetch(`${app.origin}/realtime/${where}`)).text();
  const pages = [
    '',
    '?type=behind&user=ann&scope=user&status=sent&from=2020-01-01&to=2040-01-01&detail={}',
    `?type=beh*&user=a*&id=${id}`,
    `?before=${id}`,
    '?after=1',
    `events/${id}/`,
    'events/3/',
    'events/3/private/',
    `replay/?id=${id}`,
    'overview/',
  ];
  for (const page of pages) t.notRegex(await get(`admin/${page}`), /does not exist|Internal Server Error/, page);
  await get('metrics');
  t.true(app.realtime.health().ok);
  const acknowledged = await fetch(`${app.origin}/realtime/ack/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': 'ann' },
    body: JSON.stringify({ id, status: 'read' }),
  });
  t.is(acknowledged.status, 200);
  const logged = () => db.own.query("select from djr.activity where status = 'sent'");
  await until('activity is recorded', async () => (await logged()).rowCount! > 0);
  await until(
    'the runtime is in djr.instance',
    async () => (await db.own.query('select from djr.instance')).rowCount! > 0,
  );
  await db.own.query(
    "insert into djr.event (scope, type, created_at) values ('public', 'old', now() - interval '2 hours')",
  );
  await until(
    'it is pruned',
    async () => (await db.own.query("select from djr.event where type = 'old'")).rowCount === 0,
  );

  await until('the consumer has it', () => consumed > 0);

  // What a runtime asks after a restart, while commits queue, and after a restore.
  const frontier = Frontier.fromSnapshot('10:20:11', 'epoch', Date.now())!;
  await db.pool.query({ ...sinceStatement(newSince(frontier, Date.now()), 5) });
  await db.pool.query({ ...recentStatement({ inProgress: [11], time: Date.now(), xmax: 20 } as never, 5) });
  const mode = new DeliveryMode({
    pool: db.pool,
    logger: recordingLogger().logger,
    events: () => (events += 10),
    unstored: () => 0,
    onSet() {},
  });
  let events = 0;
  mode.onStatus({ mode: 'notify', delivery: 'auto' } as never);
  mode.start();
  await until('waiters were looked for', async () =>
    (await logOf(db.name)).some(({ text }) => text.includes('as waiters')),
  );
  await mode.stop();
  await db.query("select djr.set_delivery_mode('sweep'), djr.set_delivery_mode('notify')");
  await new Repair({ pool: db.pool, logger: recordingLogger().logger }).run(db.pool);

  const client = await db.connect();
  for await (const { check, found } of diagnose(client, () => db.connect()))
    t.notRegex(found, /does not exist|stranger/, check);
  // What has a second look where there is something to look at.
  await db.own.query(`begin; select pg_current_xact_id(); prepare transaction 'left_${db.name}'`);
  for await (const { check, found } of diagnose(client, () => db.connect()))
    t.notRegex(found, /does not exist|stranger/, check);
  await db.own.query(`rollback prepared 'left_${db.name}'`);
  await readStatistics(client, '1 hour');

  const env = { DATABASE_URL: db.url };
  const tail = start(t, ['tail', '--json'], env);
  await until('tail listens', async () => (await db.own.query('select from djr.instance')).rowCount! > 2);
  for (const args of [
    ['publish', 'cli', '{"n": 1}', '--user', 'ann', '--key', 'cli'],
    ['publish', 'cli', '--global'],
    ['publish', 'cli', '--system'],
    ['replay', String(id)],
    ['prune', '--older-than', '30 minutes'],
    ['prune'],
    ['stats', '--json'],
    ['migrate'],
    ['migrate', '--dry-run'],
  ]) {
    const { code, err } = await djr(t, args, { env });
    t.is(code, 0, `${args.join(' ')}: ${err}`);
  }
  t.notRegex((await djr(t, ['doctor'], { env })).out, /does not exist|stranger/);
  await tail.printed(/"cli"/);
  tail.child.kill('SIGINT');
  await tail.ended;
  await app.realtime.stop();
  await other.realtime.stop();
}
