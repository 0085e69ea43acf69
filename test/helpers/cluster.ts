import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbedded } from '../../src/database/embedded.js';
import { migrate } from '../../src/database/migrate.js';

/** A PostgreSQL of a test's own, which it may stop and crash. */
export interface Cluster {
  readonly server: EmbeddedPostgres;
  readonly url: string;
  /** On a connection of its own, so that no restart is in the way. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Stays open until the test, or the server, ends. */
  connect(database?: string): Promise<pg.Client>;
}

export async function startCluster(
  t: Pick<ExecutionContext, 'teardown'>,
  settings: Record<string, string> = {},
): Promise<Cluster> {
  const resolveFrom = process.env.DJR_TEST_POSTGRES;
  // A killed process leaves what it wrote to the operating system: fsync is for power cuts.
  const server = await startEmbedded({
    settings: { fsync: 'off', ...settings },
    ...(resolveFrom ? { resolveFrom } : {}),
  });
  t.teardown(() => server.dispose());
  await migrate(server.url);
  const connect = async (database = 'postgres') => {
    const url = new URL(server.url);
    url.pathname = `/${database}`;
    const client = new pg.Client(url.href);
    client.on('error', () => {});
    await client.connect();
    t.teardown(() => client.end().catch(() => {}));
    return client;
  };
  return {
    server,
    url: server.url,
    connect,
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      const client = await connect();
      try {
        return (await client.query<Row>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
}
