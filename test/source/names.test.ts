import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import type pg from 'pg';
import { migrate, printMigrations, uninstall } from '../../src/install/migrate.js';
import { MIGRATIONS } from '../../src/install/migration-files.js';
import { asTransaction } from '../../src/install/printed-migrations.js';
import type { TestDatabase } from '../helpers/database.js';
import { doEverything } from '../helpers/everything.js';
import { CALLED, hideCatalog, shadowCatalog } from '../helpers/hostile.js';
import { createDatabase, disposeServer, type Entry, logOf, startServer } from '../helpers/logged-server.js';

test.before(startServer);
test.after.always(disposeServer);

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
  const [first] = MIGRATIONS;
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
