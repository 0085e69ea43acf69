import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { migrate } from '../install/migrate.js';
import { NEWEST_MIGRATION } from '../install/newest-migration.js';
import { DjrError } from '../lib/errors.js';
import { VERSION } from '../lib/version.js';
import { newClient } from '../postgres/connect.js';
import { select } from '../postgres/select.js';

/** A database for one test. */
export interface TestDatabase {
  /** Its address, for `DATABASE_URL`, a pool, or `createRealtime({ database })`. */
  readonly url: string;
  readonly name: string;
  /** Drops the database, and ends connections that are still open. */
  drop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestDatabaseOptions {
  /**
   * The URI of a server on which this role may create databases.
   * @defaultValue `DJR_TEST_DATABASE_URL`, else `DATABASE_URL`
   */
  server?: string;
  /** Creates the app's own schema in the template, for example by your migrations. Called once. The schema `djr` exists already. */
  setup?: (url: string) => unknown;
  /**
   * Identifies what `setup` creates, for example a hash of your migrations: a different key makes a different template.
   * @defaultValue the text of `setup`
   */
  key?: string;
}

/**
 * Creates a database for one test, with the schema `djr` and what `setup` creates. It is cloned from a template, which the first call on a
 * server makes and which stays there. Many processes may call it at the same time.
 *
 * @throws {@link DjrError} `DJR_CONFIG` if no server is named; the error of `setup`; PostgreSQL's error if the role may not create
 * databases
 */
export async function createDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.server ?? process.env.DJR_TEST_DATABASE_URL ?? process.env.DATABASE_URL;
  if (!server) {
    throw new DjrError('DJR_CONFIG', 'A server must be named for the databases of tests (none is).', {
      hint: 'Set DJR_TEST_DATABASE_URL, or give the option server.',
    });
  }
  const template = templateOf(options);
  const name = `djr_test_${randomBytes(8).toString('hex')}`;
  await withClient(server, async (client) => {
    await makeTemplate(client, server, template, options.setup);
    await client.query(`create database ${name} template ${template}`);
  });
  const drop = () =>
    withClient(server, async (client) => {
      await client.query(`drop database if exists ${name} with (force)`);
    });
  return { name, url: urlOf(server, name), drop, [Symbol.asyncDispose]: drop };
}

function templateOf({ key, setup }: TestDatabaseOptions): string {
  const made = [VERSION, NEWEST_MIGRATION, key ?? setup?.toString() ?? ''].join('\n');
  return `djr_template_${createHash('sha256').update(made).digest('hex').slice(0, 16)}`;
}

/** The mark of a complete template. A template without it was left half made, and is made anew. */
const WHOLE = 'template of djr/testing';

/** Makes the template: one process does it, and the others wait. Nobody can connect to it afterwards, so that it can be cloned at any time. */
async function makeTemplate(
  client: pg.Client,
  server: string,
  template: string,
  setup: TestDatabaseOptions['setup'],
): Promise<void> {
  const isWhole = async () => {
    const rows = await select(
      client,
      `select from pg_catalog.pg_database
        where datname operator(pg_catalog.=) $1
          and pg_catalog.shobj_description(pg_database.oid, 'pg_database') operator(pg_catalog.=) $2`,
      [template, WHOLE],
    );
    return rows.length > 0;
  };
  if (await isWhole()) return;
  // The lock belongs to this session and ends with it, whatever happens.
  await client.query('select pg_catalog.pg_advisory_lock(pg_catalog.hashtextextended($1, 0))', [template]);
  if (!(await isWhole())) {
    await client.query(`drop database if exists ${template} with (force)`);
    await client.query(`create database ${template}`);
    await migrate(urlOf(server, template));
    await setup?.(urlOf(server, template));
    await client.query(`alter database ${template} allow_connections false`);
    await endConnections(client, template);
    await client.query(`comment on database ${template} is '${WHOLE}'`);
  }
  await client.query('select pg_catalog.pg_advisory_unlock(pg_catalog.hashtextextended($1, 0))', [template]);
}

/** Ends connections to a database: `setup` may have left a pool open, and a database with connections cannot be cloned. */
async function endConnections(client: pg.Client, name: string): Promise<void> {
  await client.query(
    `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
      where datname operator(pg_catalog.=) $1`,
    [name],
  );
}

/** Replaces the database in an address. It is done by text, as an address with several hosts is no URL. */
const urlOf = (server: string, name: string): string => server.replace(/^(\w+:\/\/[^/?]*)(\/[^?]*)?/, `$1/${name}`);

async function withClient<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = newClient(server);
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
