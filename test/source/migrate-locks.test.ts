import test from 'ava';
import { migrate, uninstall } from '../../src/install/migrate.js';
import type { DjrError } from '../../src/lib/errors.js';
import { djr } from '../cli/helpers.js';
import { startCluster, startStandby } from '../helpers/cluster.js';
import { createDatabase } from '../helpers/database.js';
import { createRole } from '../helpers/role.js';
import { until } from '../helpers/server.js';

test('no advisory lock that any role can take holds a migration up', async (t) => {
  const db = await createDatabase(t, { template: null });
  const other = await createRole(t, db, 'other');
  const holder = await db.connect({ connectionString: other.url });
  await holder.query(`select pg_advisory_lock(n) from unnest(array[7310418275521904, 7310418275521905]) n`);
  t.true((await migrate(db.url)).length > 0);
});

test('a role that may use djr cannot hold a migration up by a lock on the schema', async (t) => {
  const db = await createDatabase(t);
  const server = await createRole(t, db, 'server');
  await db.query('select djr.grant_server($1)', [server.role]);
  const holder = await db.connect({ connectionString: server.url });
  await holder.query('begin; lock table djr.migrations, djr.settings, djr.event in access share mode');
  await t.throwsAsync(holder.query(`savepoint s; comment on schema djr is 'mine'`));
  await holder.query('rollback to s');
  t.deepEqual(await migrate(db.url), []);
});

test('a first installation that another transaction holds up ends by time, and names session and role', async (t) => {
  const db = await createDatabase(t, { template: null });
  const other = await createRole(t, db, 'other');
  await db.query(`grant create on database ${db.name} to ${other.role}`);
  const holder = await db.connect({ connectionString: other.url, application_name: 'forgotten' });
  await holder.query('begin; create schema djr');
  const { pid } = (await holder.query('select pg_backend_pid() as pid')).rows[0];
  const error = (await t.throwsAsync(migrate(db.url, { lockTimeout: 1000 }))) as DjrError;
  t.is(error.code, 'DJR_MIGRATE');
  t.true(error.message.includes(`session ${pid} (role ${other.role}, application forgotten) holds it`), error.message);
  const { code, err } = await djr(t, ['migrate', '--lock-timeout', '1', '-d', db.url]);
  t.is(code, 1);
  t.regex(err, new RegExp(`^error: A lock was not to be had within 1000 ms: session ${pid} .*\nWait until`));
  await holder.query('rollback');
  t.true((await migrate(db.url)).length > 0);
});

test('an installation goes on when the other one has ended, whether it committed or not', async (t) => {
  for (const end of ['commit', 'rollback']) {
    const db = await createDatabase(t, { template: null });
    const holder = await db.connect();
    await holder.query('begin; create schema djr');
    const waiting = migrate(db.url);
    await until('it waits', async () => {
      const sql = `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`;
      return (await db.query(sql, [db.name])).length > 0;
    });
    await holder.query(end);
    t.true((await waiting).length > 0, end);
  }
});

test('installations at once in a schema that is there and empty are one', async (t) => {
  const db = await createDatabase(t, { template: null });
  await db.query('create schema djr');
  const results = await Promise.all(Array.from({ length: 8 }, () => migrate(db.url)));
  t.is(results.filter((applied) => applied.length > 0).length, 1);
});

test('an upgrade or uninstallation behind a lock on a table ends by time and changes nothing', async (t) => {
  const db = await createDatabase(t);
  const holder = await db.connect();
  await holder.query('begin; lock table djr.activity in access exclusive mode');
  await db.query('delete from djr.migrations where name > $1', ['000002']);
  const { pid } = (await holder.query('select pg_backend_pid() as pid')).rows[0];
  const error = (await t.throwsAsync(migrate(db.url, { lockTimeout: 500 }))) as DjrError;
  t.true(error.message.includes(`session ${pid} (role postgres`), error.message);
  await db.query(`alter database ${db.name} set lock_timeout = '300ms'`);
  t.regex((await t.throwsAsync(uninstall(db.url)))!.message, /A lock was not to be had within 300 ms/);
  await holder.query('rollback');
  t.true((await migrate(db.url)).length > 0);
});

test('a statement_timeout that ends a migration is said, with how to do without it', async (t) => {
  const db = await createDatabase(t);
  const holder = await db.connect();
  await holder.query('begin; lock table djr.activity in access exclusive mode');
  await db.query('delete from djr.migrations where name > $1', ['000002']);
  await db.query(`alter database ${db.name} set statement_timeout = '800ms'`);
  const { code, err } = await djr(t, ['migrate', '-d', db.url]);
  t.is(code, 1);
  t.regex(
    err,
    /^error: A statement of the migration was ended by the statement_timeout of 800 ms, and nothing was changed\./,
  );
  t.regex(err, /PGOPTIONS='-c statement_timeout=0'/);
  t.notRegex(err, /cannot be reached|\n +at /);
  await holder.query('rollback');
  t.is((await djr(t, ['migrate', '-d', db.url], { env: { PGOPTIONS: '-c statement_timeout=0' } })).code, 0);
});

test('a database that is read only by default, and serializable, is installed into', async (t) => {
  const db = await createDatabase(t, { template: null });
  await db.query(`alter database ${db.name} set default_transaction_read_only = on;
    alter database ${db.name} set default_transaction_isolation = 'serializable'`);
  const results = await Promise.all(Array.from({ length: 4 }, () => migrate(db.url)));
  t.is(results.filter((applied) => applied.length > 0).length, 1);
});

test('on a standby migrate, and what connects, say that it is one and what to do', async (t) => {
  const primary = await startCluster(t);
  const standby = await startStandby(t, primary);
  for (const command of [['migrate'], ['migrate', '--uninstall', '--yes'], ['doctor'], ['publish', '--global', 't']]) {
    const { code, out, err } = await djr(t, [...command, '-d', standby.url]);
    t.is(code, 1, command.join(' '));
    t.regex(out + err, /standby|read-only|read only/, command.join(' '));
    t.regex(out + err, /primary/, command.join(' '));
    t.notRegex(out + err, /target_session_attrs|cannot be reached|\n +at /, command.join(' '));
  }
});
