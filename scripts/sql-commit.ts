/**
 * Turns migrations/current.sql, with what it includes from sql/, into the next committed migration.
 *
 *   npm run sql:commit [-- --message "what it does"]
 *
 * With an empty current.sql it writes the last migration again from sql/, as long as that one is not released
 * (migrations/released.json): a released migration never changes.
 */
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { commit, migrate, type Settings, uncommit } from 'graphile-migrate';
import pg from 'pg';
import { MIGRATIONS } from '../src/install/migration-files.js';
import { startEmbedded } from '../src/testing/embedded.js';

const { values } = parseArgs({ options: { message: { type: 'string', short: 'm' } } });
const current = 'migrations/current.sql';
const folder = 'migrations/committed';
const settingsFile = JSON.parse((await readFile('.gmrc', 'utf8')).replace(/^\s*\/\/.*$/gm, '')) as Settings;

const isBlank = (sql: string) => sql.replace(/^\s*--(?!!).*$/gm, '').trim() === '';

const contents = async () =>
  new Map(
    await Promise.all(
      (await readdir(folder)).map(async (file) => [file, await readFile(`${folder}/${file}`, 'utf8')] as const),
    ),
  );

const before = { current: await readFile(current, 'utf8'), committed: await contents() };
const released = JSON.parse(await readFile('migrations/released.json', 'utf8')) as Record<string, string>;
const last = MIGRATIONS.at(-1)?.name;
const again = isBlank(before.current);
if (again && (!last || last in released)) {
  process.stderr.write('Nothing to commit: migrations/current.sql is empty, and what is committed is released.\n');
  process.exit(2);
}

const server = await startEmbedded({ settings: { fsync: 'off' } });
try {
  const root = new pg.Client(server.url);
  await root.connect();
  await root.query('create database djr_authoring');
  await root.end();
  const url = (database: string) => server.url.replace(/[^/]*$/, database);
  const settings: Settings = {
    ...settingsFile,
    connectionString: url('djr_authoring'),
    shadowConnectionString: url('djr_shadow'),
    rootConnectionString: server.url,
  };
  if (again) {
    // Its old text may not run any more; what counts is the list of what it includes.
    await migrate(settings);
    await uncommit(settings);
    await rebuild(server.url);
  }
  await commit(settings, values.message);
  for (const file of await readdir(folder)) await chmod(`${folder}/${file}`, 0o644);
} catch (error) {
  // graphile-migrate restores the compiled text; we want the includes back.
  for (const file of await readdir(folder)) if (!before.committed.has(file)) await rm(`${folder}/${file}`);
  for (const [file, text] of before.committed) await writeFile(`${folder}/${file}`, text);
  await writeFile(current, before.current);
  process.exitCode = 1;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
} finally {
  await leave(server.url);
  await server.dispose();
}

/** The old text of the migration is in the authoring database: it starts anew. */
async function rebuild(serverUrl: string): Promise<void> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query('drop database djr_authoring');
  await client.query('create database djr_authoring');
  await client.end();
}

/** graphile-migrate keeps its connections for a while, and ends the process when the server closes one. */
async function leave(serverUrl: string): Promise<void> {
  const pools = createRequire(import.meta.url)('graphile-migrate/dist/pgReal.js') as { clearAllPools(): void };
  pools.clearAllPools();
  const client = new pg.Client(serverUrl);
  await client.connect();
  const others = "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  while ((await client.query(others)).rowCount !== 0);
  await client.end();
}
