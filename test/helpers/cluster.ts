import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import pg from 'pg';
import { migrate } from '../../src/install/migrate.js';
import { type EmbeddedPostgres, startEmbedded } from '../../src/testing/embedded.js';
import { takeTurn } from './turn.js';

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
  await takeTurn(t);
  const resolveFrom = process.env.DJR_TEST_POSTGRES;
  // A killed process leaves what it wrote to the operating system: fsync is for power cuts.
  const server = await startEmbedded({
    settings: { fsync: 'off', ...settings },
    ...(resolveFrom ? { resolveFrom } : {}),
  });
  t.teardown(() => server.dispose());
  await migrate(server.url);
  return clusterOf(t, server);
}

/** A streaming standby, made from a copy of the primary, which is stopped for it and started again. */
export async function startStandby(t: Pick<ExecutionContext, 'teardown'>, primary: Cluster): Promise<Cluster> {
  const { server } = primary;
  const directory = await mkdtemp(path.join(tmpdir(), 'djr-standby-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  await server.stop('fast');
  // With owners and modes, which PostgreSQL looks at.
  await promisify(execFile)('cp', ['-a', `${server.directory}/.`, directory]);
  const signal = path.join(directory, 'standby.signal');
  await writeFile(signal, '');
  await chmod(signal, 0o666);
  await server.start();
  const { hostname, port, username, password } = new URL(server.url);
  // Where ALTER SYSTEM can take it away again.
  const conninfo = `host=${hostname} port=${port} user=${username} password=${password}`;
  await appendFile(path.join(directory, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
  const resolveFrom = process.env.DJR_TEST_POSTGRES;
  const standby = await startEmbedded({
    directory,
    settings: { fsync: 'off', wal_retrieve_retry_interval: '100ms' },
    ...(resolveFrom ? { resolveFrom } : {}),
  });
  t.teardown(() => standby.dispose());
  return clusterOf(t, standby);
}

function clusterOf(t: Pick<ExecutionContext, 'teardown'>, server: EmbeddedPostgres): Cluster {
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
