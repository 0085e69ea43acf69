import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { DjrError } from '../errors.js';
import { toConfig } from './connect.js';

export interface MigrateOptions {
  /** Says what would be applied, and changes nothing. */
  dryRun?: boolean;
  /** Gets a line for each migration applied and, with `dryRun`, its SQL. */
  log?: (line: string) => void;
}

/** One file of migrations/committed. */
export interface CommittedMigration {
  /** As in `djr.migrations`: the file's name without `.sql`. */
  readonly name: string;
  readonly sql: string;
}

const folder = fileURLToPath(new URL('../../migrations/committed', import.meta.url));

/** Ours alone, so that the app's own migrations (node-pg-migrate's default lock among them) never wait for us. */
const LOCK = '7310418275521904';

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
 * Installs the schema `djr` or brings it up to date, in one transaction. Safe to call from many processes at once:
 * one does the work and the others wait for it. Nothing outside schema `djr` is touched.
 *
 * @returns the names of the migrations applied, none when the schema is up to date
 * @throws {@link DjrError} `DJR_MIGRATE` when the role lacks a right, `DJR_POSTGRES_VERSION` on a server before 14,
 * `DJR_DATABASE` when it cannot be reached. Nothing is half done then, and no lock is held.
 */
export async function migrate(config: string | pg.ClientConfig, options: MigrateOptions = {}): Promise<string[]> {
  return withClient(config, async (client) => {
    if (options.dryRun) return dryRun(client, options.log);
    await client.query('begin');
    try {
      // The transaction's own lock, not the runner's of the session: it is gone with the transaction whatever happens,
      // through a transaction pooler too. Everything the runner does is inside, the schema and its table included.
      await client.query(`select pg_advisory_xact_lock(${LOCK})`);
      const { exists } = (await client.query("select to_regnamespace('djr') is not null as exists")).rows[0];
      const applied = await runner({
        dbClient: client,
        dir: folder,
        direction: 'up',
        singleTransaction: true,
        noLock: true,
        migrationsSchema: 'djr',
        migrationsTable: 'migrations',
        createMigrationsSchema: !exists,
        logger: silent,
      });
      await client.query('commit');
      for (const { name } of applied) options.log?.(`applied ${name}`);
      return applied.map(({ name }) => name);
    } catch (error) {
      await client.query('rollback').catch(() => {});
      throw error;
    }
  });
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function dryRun(client: pg.Client, log: MigrateOptions['log']): Promise<string[]> {
  const installed = new Set(await installedMigrations(client));
  const pending = (await committedMigrations()).filter(({ name }) => !installed.has(name));
  if (pending.length > 0) log?.(asPlainSql(pending, installed.size === 0));
  return pending.map(({ name }) => name);
}

/** All migrations as SQL for `psql` or another migration tool, with what tells `djr migrate` that they are applied. */
export async function printMigrations(): Promise<string> {
  return asPlainSql(await committedMigrations(), true);
}

/** What the runner would do: its table is the one that it makes. */
function asPlainSql(migrations: CommittedMigration[], fromNothing: boolean): string {
  const parts = migrations.map(({ name, sql }) =>
    [sql.trim(), `insert into djr.migrations (name, run_on) values ('${name}', now());`].join('\n\n'),
  );
  if (fromNothing) {
    parts.unshift(
      `create schema if not exists djr;

create table djr.migrations (
  id serial primary key,
  name varchar(255) not null,
  run_on timestamp not null
);`,
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** Drops schema `djr` with all events. */
export async function uninstall(config: string | pg.ClientConfig): Promise<void> {
  await withClient(config, (client) => client.query('drop schema if exists djr cascade'));
}

/** Which migration the database has, and which this version of djr expects. */
export async function schemaVersion(
  client: Pick<pg.Client, 'query'>,
): Promise<{ installed: string | null; expected: string }> {
  const expected = (await committedMigrations()).at(-1)!.name;
  return { installed: (await installedMigrations(client)).at(-1) ?? null, expected };
}

async function installedMigrations(client: Pick<pg.Client, 'query'>): Promise<string[]> {
  const { rows } = await client.query("select to_regclass('djr.migrations') is not null as exists");
  if (!rows[0].exists) return [];
  return (await client.query('select name from djr.migrations order by name')).rows.map(({ name }) => name as string);
}

async function withClient<T>(config: string | pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(toConfig(config));
  // A connection that breaks rejects the query in progress; without a listener it would end the process as well.
  client.on('error', () => {});
  try {
    await client.connect();
    await refuseOldServers(client);
    return await work(client);
  } catch (error) {
    throw explain(error);
  } finally {
    await client.end().catch(() => {});
  }
}

async function refuseOldServers(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as version",
  );
  if (rows[0].number >= 140000) return;
  throw new DjrError('DJR_POSTGRES_VERSION', `This is PostgreSQL ${rows[0].version}; djr needs 14 or newer.`, {
    hint: 'Upgrade the server.',
  });
}

/** What went wrong in the words of who installs, with the one thing to do. */
function explain(error: unknown): unknown {
  if (error instanceof DjrError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
  if (code === '42501') {
    return new DjrError('DJR_MIGRATE', `The role may not install djr: ${error.message}.`, {
      hint: "As the database's owner: grant create on database YOUR_DATABASE to YOUR_ROLE; or run `djr migrate` as the role that owns schema djr.",
      cause: error,
    });
  }
  if (/^[0-9A-Z]{5}$/.test(code) && !/^(08|28|3D|57)/.test(code)) {
    return new DjrError('DJR_MIGRATE', `The migration failed and nothing was changed: ${error.message}.`, {
      hint: hint ?? "Report it with the server's log of this moment, if it is not clear from the message.",
      cause: error,
    });
  }
  return new DjrError('DJR_DATABASE', `The database cannot be reached: ${error.message || code}.`, {
    hint: 'Check --database-url (or DATABASE_URL): host, port, database, user, password, TLS.',
    cause: error,
  });
}
