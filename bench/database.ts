import pg from 'pg';
import { migrate } from '../src/install/migrate.js';
import { startEmbedded } from '../src/testing/embedded.js';

/** The server that is measured, and databases of the benchmark's own on it. */
export interface DatabaseServer {
  readonly version: string;
  /** Settings that the figures depend on. */
  readonly settings: Record<string, string>;
  /** A new database with djr and the floor's table in it. */
  create(name: string, setup?: string[]): Promise<string>;
  drop(name: string): Promise<void>;
  close(): Promise<void>;
}

const SETTINGS = ['fsync', 'synchronous_commit', 'commit_delay', 'shared_buffers', 'wal_sync_method'];

/**
 * An embedded PostgreSQL with the settings a fresh one has (fsync and synchronous_commit are on), or the server at `url`.
 * On a server of yours nothing is touched but databases named `djr_bench_…`, made here and dropped at the end:
 * it needs a role that may create databases.
 */
export async function openServer(url?: string): Promise<DatabaseServer> {
  const embedded = url === undefined ? await startEmbedded({ settings: { max_connections: '300' } }) : undefined;
  const address = url ?? embedded!.url;
  const made = new Set<string>();
  const admin = new pg.Client(address);
  await admin.connect();
  const { rows } = await admin.query<{ name: string; setting: string }>(
    'select name, setting from pg_catalog.pg_settings where name operator(pg_catalog.=) any($1)',
    [[...SETTINGS, 'server_version']],
  );
  const settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  const drop = async (name: string) => {
    await admin.query(`drop database if exists ${name} with (force)`);
    made.delete(name);
  };

  return {
    version: settings.server_version ?? '',
    settings: Object.fromEntries(SETTINGS.map((name) => [name, settings[name] ?? ''])),
    async create(name, setup = []) {
      const database = ownName(name);
      await drop(database);
      await admin.query(`create database ${database}`);
      made.add(database);
      // Its statements are written to be read: nothing that another role makes in it meanwhile is called by them.
      await admin.query(`alter database ${database} set search_path = pg_catalog, pg_temp`);
      const own = new URL(address);
      own.pathname = `/${database}`;
      await migrate(own.href);
      const client = new pg.Client(own.href);
      await client.connect();
      // The same columns, indexes and checks, and no trigger: what storing costs without publishing.
      await client.query('create schema floor');
      await client.query('create table floor.event (like djr.event including all)');
      for (const statement of setup) await client.query(statement);
      await client.end();
      return own.href;
    },
    async drop(name) {
      await drop(ownName(name));
    },
    async close() {
      for (const name of made) await drop(name);
      await admin.end();
      await embedded?.dispose();
    },
  };
}

/** Folded to what PostgreSQL makes of a name without quotes, and no longer than it allows. */
const ownName = (name: string): string =>
  `djr_bench_${name.toLowerCase().replace(/\W+/g, '_').slice(0, 40)}_${process.pid}`;
