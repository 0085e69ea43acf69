import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { asPlainSql, migrationsBehind } from './printed-migrations.js';
import { installedMigrations } from './schema-version.js';

export interface MigrateOptions {
  /** Says what would be applied, and changes nothing. */
  dryRun?: boolean;
  /**
   * Milliseconds that a lock is waited for, another migration's among them. A role or database with a shorter
   * `lock_timeout` keeps that.
   * @defaultValue 30000
   */
  lockTimeout?: number;
  /**
   * Gets a line for each migration applied, with `dryRun` its SQL, and a line for each role that can do more than it was
   * granted, or that lost a right.
   */
  log?: (line: string) => void;
}

const LOCK_TIMEOUT = 30_000;

/** One file of migrations/committed. */
export interface CommittedMigration {
  /** As in `djr.migrations`: the file's name without `.sql`. */
  readonly name: string;
  readonly sql: string;
}

const folder = fileURLToPath(new URL('../../migrations/committed', import.meta.url));
const sources = fileURLToPath(new URL('../../sql', import.meta.url));

/** The committed migrations in the order in which they are applied. */
export async function committedMigrations(): Promise<CommittedMigration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => ({
      name: path.basename(file, '.sql'),
      sql: await readFile(path.join(folder, file), 'utf8'),
    })),
  );
}

/**
 * What comes before the first migration that is applied: that all of the schema is ours and that we are alone at it, and the
 * record of who was granted what, which an older schema has not.
 */
async function beginning(): Promise<string> {
  const files = ['install/begin.sql', 'tables/_grant.sql', 'install/carry_over.sql'];
  return (await Promise.all(files.map((file) => readFile(path.join(sources, file), 'utf8')))).join('\n');
}

/** What comes behind the last one: that nobody put something into the schema meanwhile. */
const ending = () => readFile(path.join(sources, 'install/begin.sql'), 'utf8');

/**
 * Installs the schema `djr` or brings it up to date, in one transaction. Safe to call from many processes at once:
 * one does the work and the others wait for it. Nothing outside schema `djr` is touched.
 *
 * @returns the names of the migrations applied, none when the schema is up to date
 * @throws {@link DjrError} `DJR_MIGRATE` when the role lacks a right, when the schema or something in it belongs to another
 * role, or when a lock is not to be had within `lockTimeout`; `DJR_POSTGRES_VERSION` on a server before 14; `DJR_STANDBY` on
 * a standby; `DJR_DATABASE` when it cannot be reached. Nothing is half done then, and no lock is held.
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
        // Another installation made it first: what it made is seen by the next transaction.
        if (!isRaced(error) || Date.now() > deadline) throw error;
      }
    }
  });
}

/** The name was free when we looked, and is taken by a transaction that ended since. */
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
    // Whatever the role's or the database's defaults are: once another installation has ended, what it made is to be seen.
    await client.query('begin isolation level read committed read write');
    await client.query("select pg_catalog.set_config('lock_timeout', $1, true)", [`${limits.lockTimeout}ms`]);
    await client.query(PINNED);
    await client.query(await beginning());
    await adoptSchema(client, await committedMigrations());
    const applied = await runner({
      dbClient: withinTransaction(client),
      dir: folder,
      direction: 'up',
      singleTransaction: true,
      noLock: true,
      migrationsSchema: 'djr',
      migrationsTable: 'migrations',
      createMigrationsSchema: false,
      logger: silent,
    });
    const healed = await healSettings(client);
    await client.query(await ending());
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
 * The runner ends the transaction that it is given as if it were its own, and sets a search_path of its own for the session: what it
 * says of transactions is left out, and the path stays pinned, as its statements and released migrations do not qualify names.
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

/** What may end a statement of this session, and which session it is. */
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

/** A line for each role that can do more than it was granted. */
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
  const pending = (await committedMigrations()).filter(({ name }) => !installed.has(name));
  if (pending.length > 0) log?.(await surrounded(asPlainSql(pending)));
  return pending.map(({ name }) => name);
}

/**
 * All migrations as SQL for `psql` or another migration tool, with what tells `djr migrate` that they are applied.
 *
 * @param from - prints what comes behind this migration (its name, or the number that it begins with): an upgrade
 */
export async function printMigrations(from?: string): Promise<string> {
  const all = await committedMigrations();
  const wanted = from === undefined ? all : migrationsBehind(all, from);
  return wanted.length === 0 ? '' : surrounded(asPlainSql(wanted));
}

/**
 * With the same checks before and behind it that `migrate` makes. Released migrations do not qualify every name: the path is pinned,
 * and is as it was behind it, for what another migration tool says next.
 */
async function surrounded(sql: string): Promise<string> {
  return [
    "select pg_catalog.set_config('djr.search_path', pg_catalog.current_setting('search_path'), false);",
    'set search_path = pg_catalog, pg_temp;\n',
    await beginning(),
    sql,
    await ending(),
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
    // For the statements of the runner as well.
    client = newClient(config, { types: TYPES });
  } catch (error) {
    throw explainMigration(error);
  }
  // A connection that breaks rejects the query in progress; without a listener it would end the process as well.
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

/** Before anything is made. */
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
