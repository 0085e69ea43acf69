import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { DjrError } from '../lib/errors.js';
import { newClient } from '../postgres/connect.js';
import { PINNED } from '../postgres/search-path.js';
import { select } from '../postgres/select.js';
import { TYPES } from '../postgres/types.js';
import { watchBlockers } from './blockers.js';
import { adoptSchema, healSettings } from './healing.js';
import { explainMigration, type Limits } from './migrate-errors.js';
import { CARRYING_OVER, CHECKS, MIGRATIONS } from './migration-files.js';
import { withMigrationFolder } from './migration-folder.js';
import { asPlainSql, migrationsBehind } from './printed-migrations.js';
import { installedMigrations } from './schema-version.js';

export interface MigrateOptions {
  /** Reports what would be applied, and changes nothing. */
  dryRun?: boolean;
  /**
   * Milliseconds to wait for a lock, such as that of another migration. If the role or database has a shorter `lock_timeout`, that
   * applies.
   * @defaultValue 30000
   */
  lockTimeout?: number;
  /**
   * Called with a line for each migration that was applied (with `dryRun` with its SQL), and a line for each role that has more rights than
   * it was granted, or that lost a right.
   */
  log?: (line: string) => void;
}

const LOCK_TIMEOUT = 30_000;

/**
 * SQL that runs before the first migration that is applied. The same checks run after the last one: no other role may have put an object
 * into the schema meanwhile.
 */
const BEGINNING = [CHECKS, CARRYING_OVER].join('\n');

/**
 * Installs the schema `djr` or brings it up to date, in one transaction. Many processes may call it at the same time: one does the work, and
 * the others wait for it. Nothing outside the schema `djr` is changed.
 *
 * @returns the names of the migrations that were applied; none if the schema was up to date
 * @throws {@link DjrError} `DJR_MIGRATE` if the role lacks a right, if the schema or an object in it belongs to another role, or if a lock
 * was not free within `lockTimeout`; `DJR_POSTGRES_VERSION` on a server before 14; `DJR_STANDBY` on a standby; `DJR_DATABASE` if the
 * database cannot be reached. Nothing is half done then, and no lock is held.
 */
export async function migrate(config: string | pg.ClientConfig, options: MigrateOptions = {}): Promise<string[]> {
  return withClient(config, async (client) => {
    if (options.dryRun) return dryRun(client, options.log);
    await refuseStandby(client);
    const { lockTimeout = LOCK_TIMEOUT } = options;
    const deadline = Date.now() + lockTimeout;
    for (;;) {
      try {
        return await apply(client, config, { ...options, lockTimeout });
      } catch (error) {
        // Another installation was faster. The next transaction sees what it has made.
        if (!isRaced(error) || Date.now() > deadline) throw error;
      }
    }
  });
}

/** Whether the error says that a name was taken by a transaction which has committed since it was checked. */
const isRaced = (error: unknown) => {
  const { cause } = error as Error;
  if (!(cause instanceof pg.DatabaseError)) return false;
  return cause.code === '42P06' || (cause.code === '23505' && cause.schema === 'pg_catalog');
};

async function apply(
  client: pg.Client,
  config: string | pg.ClientConfig,
  options: Required<Pick<MigrateOptions, 'lockTimeout'>> & MigrateOptions,
): Promise<string[]> {
  const limits = await limitsOf(client, options.lockTimeout);
  const watch = watchBlockers(config, limits.pid, Math.max(50, limits.lockTimeout / 4));
  const lines: string[] = [];
  const hear = ({ message, hint }: { message: string | undefined; hint?: string | undefined }) => {
    if (message?.startsWith('djr: ')) lines.push([message, hint].filter(Boolean).join('. '));
  };
  client.on('notice', hear);
  try {
    // Set explicitly, whatever the defaults of role and database are: once another installation has ended, its objects must be visible.
    await client.query('begin isolation level read committed read write');
    await client.query("select pg_catalog.set_config('lock_timeout', $1, true)", [`${limits.lockTimeout}ms`]);
    await client.query(PINNED);
    await client.query(BEGINNING);
    await adoptSchema(client, MIGRATIONS);
    const applied = await withMigrationFolder((dir) =>
      runner({
        dbClient: withinTransaction(client),
        dir,
        direction: 'up',
        singleTransaction: true,
        noLock: true,
        migrationsSchema: 'djr',
        migrationsTable: 'migrations',
        createMigrationsSchema: false,
        logger: silent,
      }),
    );
    const healed = await healSettings(client);
    await client.query(CHECKS);
    const excess = await excessRights(client);
    await client.query('commit');
    if (healed)
      options.log?.('the row of djr.settings was missing: it is there again, with every setting at its default');
    for (const { name } of applied) options.log?.(`applied ${name}`);
    for (const line of [...lines, ...excess]) options.log?.(line);
    return applied.map(({ name }) => name);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw explainMigration(error, { ...limits, blocker: watch.blocker });
  } finally {
    client.off('notice', hear);
    await watch.stop();
  }
}

/**
 * A connection for the migration runner. The runner would begin and end transactions and set its own search_path for the session. Those
 * statements are left out here: the transaction stays ours, and the path stays pinned, because the statements of the runner and of
 * released migrations do not qualify names.
 */
function withinTransaction(client: pg.Client): pg.Client {
  const send = client.query.bind(client) as (...all: unknown[]) => Promise<unknown>;
  const query = async (sql: unknown, ...rest: unknown[]) => {
    if (typeof sql === 'string' && /^(BEGIN|COMMIT|ROLLBACK)$/.test(sql)) return undefined;
    if (typeof sql === 'string' && /^SET search_path /.test(sql)) return send(PINNED);
    return send(sql, ...rest);
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'query') return query;
      const member = Reflect.get(target, name, target) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Reads the time-outs of this session, and which session it is. */
async function limitsOf(client: pg.Client, lockTimeout: number): Promise<Limits> {
  const rows = await select<{ pid: number; role: string; own: number; statement: number }>(
    client,
    `
    select pg_catalog.pg_backend_pid() as pid, current_user as role,
      pg_catalog.max(setting::pg_catalog.int4) filter (where name operator(pg_catalog.=) 'lock_timeout') as own,
      pg_catalog.max(setting::pg_catalog.int4) filter (where name operator(pg_catalog.=) 'statement_timeout') as statement
    from pg_catalog.pg_settings
    where name operator(pg_catalog.=) any (array['lock_timeout', 'statement_timeout'])`,
  );
  const { pid, role, own, statement } = rows[0]!;
  return { pid, role, lockTimeout: own > 0 ? Math.min(own, lockTimeout) : lockTimeout, statementTimeout: statement };
}

/** A line for each role that has more rights than it was granted. */
async function excessRights(client: pg.Client): Promise<string[]> {
  const rows = await select<{ role: string; rights: string[] }>(
    client,
    'select role, pg_catalog.to_json(rights) as rights from djr._excess_rights()',
  );
  return rows.map(({ role, rights }) => `djr: ${role} can do more than it was granted: ${rights.join(', ')}`);
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function dryRun(client: pg.Client, log: MigrateOptions['log']): Promise<string[]> {
  const installed = new Set(await installedMigrations(client));
  const pending = MIGRATIONS.filter(({ name }) => !installed.has(name));
  if (pending.length > 0) log?.(surrounded(asPlainSql(pending)));
  return pending.map(({ name }) => name);
}

/**
 * All migrations as SQL for `psql` or another migration tool, with statements that tell `djr migrate` that they are applied.
 *
 * @param from - prints only the migrations after this one (its name, or the number with which it begins), for an upgrade
 */
export async function printMigrations(from?: string): Promise<string> {
  const wanted = from === undefined ? MIGRATIONS : migrationsBehind(MIGRATIONS, from);
  return wanted.length === 0 ? '' : surrounded(asPlainSql(wanted));
}

/**
 * Puts the same checks before and after the SQL that `migrate` makes. Released migrations do not qualify every name, so the path is pinned
 * for them, and restored afterwards for the next statements of another migration tool.
 */
function surrounded(sql: string): string {
  return [
    "select pg_catalog.set_config('djr.search_path', pg_catalog.current_setting('search_path'), false);",
    'set search_path = pg_catalog, pg_temp;\n',
    BEGINNING,
    sql,
    CHECKS,
    "select pg_catalog.set_config('search_path', pg_catalog.current_setting('djr.search_path'), false);\n",
  ].join('\n');
}

/** Drops schema `djr` with all events. */
export async function uninstall(config: string | pg.ClientConfig): Promise<void> {
  await withClient(config, async (client) => {
    await refuseStandby(client);
    const limits = await limitsOf(client, LOCK_TIMEOUT);
    const watch = watchBlockers(config, limits.pid, limits.lockTimeout / 4);
    try {
      await client.query(`begin read write; set local lock_timeout = ${limits.lockTimeout}`);
      await client.query('drop schema if exists djr cascade');
      await client.query('commit');
    } catch (error) {
      throw explainMigration(error, { ...limits, blocker: watch.blocker });
    } finally {
      await watch.stop();
    }
  });
}

async function withClient<T>(config: string | pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  let client: pg.Client;
  try {
    // Pinned for the statements of the runner as well.
    client = newClient(config, { types: TYPES });
  } catch (error) {
    throw explainMigration(error);
  }
  // A connection that breaks rejects the running query. Without this listener it would end the process as well.
  client.on('error', () => {});
  try {
    await client.connect();
    await refuseServer(client);
    return await work(client);
  } catch (error) {
    throw explainMigration(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Checks the server's version before anything is created. */
async function refuseServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query({
    text: `select pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as number,
                  pg_catalog.current_setting('server_version') as version,
                  pg_catalog.current_setting('server_encoding') as encoding`,
    types: TYPES,
  });
  const { encoding, number, version } = rows[0] as { encoding: string; number: number; version: string };
  if (number < 140000) {
    throw new DjrError('DJR_POSTGRES_VERSION', `This is PostgreSQL ${version}; djr needs 14 or newer.`, {
      hint: 'Upgrade the server.',
    });
  }
  if (encoding !== 'UTF8') {
    throw new DjrError('DJR_MIGRATE', `The encoding of the database must be UTF8 (it is ${encoding}).`, {
      hint: "Events are JSON, which may hold any character: create database NAME encoding 'UTF8' template template0, and restore into that.",
    });
  }
}

async function refuseStandby(client: pg.Client): Promise<void> {
  const [server] = await select<{ standby: boolean }>(client, 'select pg_catalog.pg_is_in_recovery() as standby');
  if (!server!.standby) return;
  throw new DjrError('DJR_STANDBY', 'This PostgreSQL is a standby, which can be read only: nothing can be installed.', {
    hint: "Run it on the primary: give that server's host in the address of the database.",
  });
}
