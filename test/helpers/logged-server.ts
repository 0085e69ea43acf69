import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbedded } from '../../src/testing/embedded.js';
import type { TestDatabase } from './database.js';
import { until } from './server.js';

/** A server that writes down each statement and each error, of whatever process. */
let server: EmbeddedPostgres;
let log = '';

/** To be called before the tests of a file. */
export async function startServer(): Promise<void> {
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
}

export const disposeServer = async (): Promise<void> => server?.dispose();

export interface Entry {
  sqlstate: string;
  text: string;
}

/** What the server wrote down of a database. What came before this call of another connection is in it. */
export async function logOf(database: string): Promise<Entry[]> {
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
export async function createDatabase(t: ExecutionContext, name: string): Promise<TestDatabase & { own: pg.Client }> {
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
