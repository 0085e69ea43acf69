import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { takeTurn } from './turn.js';

/** A database of a test's own, with djr installed, dropped when the test ends. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  readonly pool: pg.Pool;
  /** Rows of one statement, run as the owner. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** A connection of its own, closed when the test ends; `role`: after `SET ROLE`-free login as that role. */
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
}

/** URI of the test server's database `postgres`, set by test/run.ts. */
export function serverUrl(): string {
  const url = process.env.DJR_TEST_SERVER;
  if (!url) throw new Error('No test server: run the tests with `npm test` or `npx tsx test/run.ts`.');
  return url;
}

/** The name of the migrated database that {@link createDatabase} clones. */
export const TEMPLATE = 'djr_template';

export function databaseUrl(name: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client(serverUrl());
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/**
 * Clones the migrated template (or makes an empty database: `{ template: null }`) for this test.
 */
export async function createDatabase(
  t: Pick<ExecutionContext, 'teardown'>,
  options: { template?: string | null } = {},
): Promise<TestDatabase> {
  await takeTurn(t);
  const name = `djr_${randomBytes(6).toString('hex')}`;
  const template = options.template === undefined ? TEMPLATE : options.template;
  await administer(`create database ${name}${template ? ` template ${template}` : ''}`);
  const url = databaseUrl(name);
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  // The drop below, or a test that restarts the server, ends idle connections: that is no failure of the test.
  pool.on('error', () => {});
  const clients: pg.Client[] = [];

  t.teardown(async () => {
    await Promise.allSettled(clients.map((client) => client.end()));
    await pool.end();
    await administer(`drop database if exists ${name} with (force)`);
  });

  return {
    url,
    name,
    pool,
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      return (await pool.query<Row>(sql, values)).rows;
    },
    async connect(config = {}) {
      const client = new pg.Client({ connectionString: url, ...config });
      client.on('error', () => {});
      await client.connect();
      clients.push(client);
      return client;
    },
  };
}
