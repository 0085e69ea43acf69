import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { diagnose } from '../../src/doctor/diagnosis.js';
import { Frontier } from '../../src/event/frontier.js';
import { committedMigrations, migrate, printMigrations, uninstall } from '../../src/install/migrate.js';
import { asTransaction } from '../../src/install/printed-migrations.js';
import { readStatistics } from '../../src/instance/statistics.js';
import { DeliveryMode } from '../../src/source/postgres/delivery-mode.js';
import { newSince, recentStatement, sinceStatement } from '../../src/source/postgres/statements.js';
import { type EmbeddedPostgres, startEmbedded } from '../../src/testing/embedded.js';
import { Repair } from '../../src/upkeep/repair.js';
import { djr, start } from '../cli/helpers.js';
import type { TestDatabase } from '../helpers/database.js';
import { CALLED, hideCatalog, shadowCatalog } from '../helpers/hostile.js';
import { recordingLogger, startApp, until } from '../helpers/server.js';

/** A server that writes down each statement and each error, of whatever process. */
let server: EmbeddedPostgres;
let log = '';

test.before(async () => {
  const resolveFrom = process.env.DJR_TEST_POSTGRES;
  server = await startEmbedded({
    settings: {
      fsync: 'off',
      max_prepared_transactions: '5',
      log_min_messages: 'warning',
      log_statement: 'all',
      log_line_prefix: '@@%d@%e@',
    },
    onLog: (text) => {
      log += text;
    },
    ...(resolveFrom ? { resolveFrom } : {}),
  });
});

test.after.always(async () => server?.dispose());

interface Entry {
  sqlstate: string;
  text: string;
}

/** What the server wrote down of a database. What came before this call of another connection is in it. */
async function logOf(database: string): Promise<Entry[]> {
  // The log of all connections is one pipe.
  const mark = `mark ${performance.now()}`;
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(`select '${mark}'`);
  await client.end();
  await until('the log has what came so far', () => log.includes(mark));
  return log
    .split(/^@@/m)
    .map((entry) => entry.split('@'))
    .filter(([name]) => name === database)
    .map(([, sqlstate, ...text]) => ({ sqlstate: sqlstate!, text: text.join('@').trim() }));
}

/** A database of the server; `own` is a connection that needs nothing of the path. */
async function createDatabase(t: ExecutionContext, name: string): Promise<TestDatabase & { own: pg.Client }> {
  const admin = new pg.Client(server.url);
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  const connect = async (config: pg.ClientConfig = {}) => {
    const client = new pg.Client({ connectionString: url.href, ...config });
    client.on('error', () => {});
    await client.connect();
    t.teardown(() => client.end());
    return client;
  };
  const own = await connect({ options: '-c search_path=pg_catalog' });
  const pool = new pg.Pool({ connectionString: url.href });
  t.teardown(() => pool.end());
  return {
    url: url.href,
    name,
    own,
    pool,
    connect,
    query: async (sql, values) => (await pool.query(sql, values)).rows,
  };
}

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
async function doEverything(t: ExecutionContext, db: TestDatabase & { own: pg.Client }): Promise<void> {
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

/** A name that was not found, or was found with somebody else. */
const astray = (entries: Entry[]): Entry[] =>
  entries.filter(
    ({ sqlstate, text }) => text.startsWith('ERROR') && (sqlstate.startsWith('42') || text.includes(CALLED)),
  );

/** What keeps a runtime from going on is known from the log at once, and not when the test has waited long enough. */
async function doEverythingOrTell(t: ExecutionContext, db: TestDatabase & { own: pg.Client }): Promise<void> {
  const { length } = await logOf(db.name);
  const found = async () => astray((await logOf(db.name)).slice(length));
  let over = false;
  const watching = (async () => {
    while (!over && (await found()).length === 0) await new Promise((resolve) => setTimeout(resolve, 500));
  })();
  await Promise.race([watching, doEverything(t, db)]).finally(() => {
    over = true;
  });
  t.deepEqual(await found(), []);
}

const installFirst = async (client: pg.Client) => {
  const [first] = await committedMigrations();
  const sql = await printMigrations();
  await client.query(sql.slice(0, sql.indexOf(';', sql.indexOf(`values ('${first!.name}'`)) + 1));
};

test('All that djr sends is found where pg_catalog is not on the search_path at all', async (t) => {
  const db = await createDatabase(t, 'hidden');
  const late = await db.connect();
  await hideCatalog(db.own);
  // The trap catches what resolves through the path.
  for (const statement of [
    'select now()',
    'select 1 in (1, 2)',
    "select 'a' like 'b'",
    "select 'a'::text",
    'select from pg_index',
  ]) {
    const error = await t.throwsAsync(late.query(statement), undefined, statement);
    t.regex((error as pg.DatabaseError).code!, /^42/);
  }
});

test('All that djr does works where pg_catalog is not on the search_path, and an upgrade too', async (t) => {
  const [db, old] = [await createDatabase(t, 'everything'), await createDatabase(t, 'upgraded')];
  await Promise.all([db, old].map(({ own }) => hideCatalog(own)));
  await doEverythingOrTell(t, db);
  await installFirst(await old.connect());
  await migrate(old.url);
  await uninstall(old.url);
  const printed = await createDatabase(t, 'printed');
  await hideCatalog(printed.own);
  await (await printed.connect()).query(await printMigrations());
  for (const { name } of [old, printed]) t.deepEqual(astray(await logOf(name)), []);
});

for (const [position, schema, searchPath] of [
  ['first', 'stranger', 'stranger, pg_catalog'],
  ['behind', 'public', '"$user", public'],
] as const) {
  test(`Nothing of a stranger is called whose schema is on the path, ${position}`, async (t) => {
    const db = await createDatabase(t, `stranger_${position}`);
    await shadowCatalog(db.own, schema);
    await db.own.query(`alter database ${db.name} set search_path = ${searchPath}`);
    // The trap catches: what the path finds there is called.
    const victim = await db.connect();
    const careless = [
      'select 2.5::numeric * 2::int4',
      "select json_build_array(pg_current_snapshot(), 1::bigint, 1::bigint, 1::bigint, 'a'::pg_catalog.text, true, 'a'::pg_catalog.text, 'a'::pg_catalog.text, 'a'::pg_catalog.text)",
      'select table_name = current_user::pg_catalog.text from information_schema.tables limit 1',
      ...(position === 'first'
        ? ['select now()', 'select 1 in (1, 2)', "select 'a'::text", 'select from pg_locks']
        : []),
    ];
    for (const statement of careless) {
      await t.throwsAsync(victim.query(statement), { message: new RegExp(CALLED) }, statement);
    }
    await doEverythingOrTell(t, db);
  });
}

test('The printed SQL makes djr beside a stranger, statement by statement, and leaves the path as it was', async (t) => {
  const db = await createDatabase(t, 'stranger_printed');
  await shadowCatalog(db.own, 'stranger');
  await db.own.query(`alter database ${db.name} set search_path = stranger, pg_catalog`);
  const { length } = await logOf(db.name);
  const psql = spawn('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', `--dbname=${db.url}`], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const complaints = text(psql.stderr);
  // It ends at the first error, and its complaint says more than that its input was closed.
  psql.stdin.on('error', () => {});
  psql.stdin.end(await printMigrations());
  const [code] = await once(psql, 'close');
  t.deepEqual([code, astray((await logOf(db.name)).slice(length))], [0, []], await complaints);
  t.deepEqual(await migrate(db.url), []);

  const app = await createDatabase(t, 'printed_in_session');
  const client = await app.connect();
  await client.query('create schema shop; set search_path = shop, public');
  // As a tool runs them, and as the command prints them.
  for (const sql of [await printMigrations(), asTransaction(await printMigrations())]) {
    await client.query(sql);
    t.deepEqual((await client.query('show search_path')).rows, [{ search_path: 'shop, public' }]);
  }
});
