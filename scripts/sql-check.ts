/**
 * Checks that sql/, the committed migrations, the schema dump, docs/sql.md and docs/errors.md say the same, and that the tables
 * of options in the documents are those of the code.
 *
 *   npm run sql:check     fails on a difference
 *   npm run sql:write     writes sql/schema.txt, docs/sql.md, docs/errors.md and the tables of options anew
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import pg from 'pg';
import { migrate } from '../src/install/migrate.js';
import { MIGRATIONS } from '../src/install/migration-files.js';
import { startEmbedded } from '../src/testing/embedded.js';
import { errorReference, lintErrors } from './error-catalogue.js';
import { optionTables } from './option-tables.js';
import { dumpSchema } from './schema-dump.js';
import { sqlReference } from './sql-reference.js';

const write = process.argv.includes('--write');
const failures: string[] = [];

/** sql/index.sql with its includes, as graphile-migrate compiles it. */
async function source(file: string): Promise<string> {
  const text = await readFile(`sql/${file}`, 'utf8');
  const includes = [...text.matchAll(/^--!include (\S+)$/gm)];
  const parts = await Promise.all(includes.map(([, name]) => source(name!)));
  return includes.reduce((result, [line], index) => result.replace(line, () => parts[index]!), text);
}

async function sameAs(file: string, text: string): Promise<void> {
  if (write) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    failures.push(`${file} is not what the code says: run \`npm run sql:write\` and look at the difference.`);
  }
}

const released = JSON.parse(await readFile('migrations/released.json', 'utf8')) as Record<string, string>;
const committed = new Map(MIGRATIONS.map(({ name, sql }) => [name, sql]));
for (const [name, hash] of Object.entries(released)) {
  const sql = committed.get(name);
  if (sql === undefined || createHash('sha256').update(sql).digest('hex') !== hash) {
    failures.push(`migrations/committed/${name}.sql was released and must never change.`);
  }
}

await sameAs('docs/errors.md', errorReference());
failures.push(...(await lintErrors()));
for (const [document, text] of await optionTables()) await sameAs(document, text);

const server = await startEmbedded({ settings: { fsync: 'off' } });
try {
  const root = new pg.Client(server.url);
  await root.connect();
  await root.query('create database migrated');
  await root.query('create database sourced');
  await root.end();
  const url = (database: string) => server.url.replace(/[^/]*$/, database);
  await migrate(url('migrated'));
  const [migrated, sourced] = [new pg.Client(url('migrated')), new pg.Client(url('sourced'))];
  await Promise.all([migrated.connect(), sourced.connect()]);
  await sourced.query(await source('index.sql'));
  // The source can be applied again to what it made: that is what authoring with a watcher does.
  await sourced.query(await source('index.sql'));
  const dump = await dumpSchema(migrated);
  if (dump !== (await dumpSchema(sourced))) {
    failures.push('The committed migrations do not make what sql/ says: run `npm run sql:commit`.');
  }
  await sameAs('sql/schema.txt', dump);
  await sameAs('docs/sql.md', await sqlReference(migrated));
  await Promise.all([migrated.end(), sourced.end()]);
} finally {
  await server.dispose();
}

for (const failure of failures) process.stderr.write(`${failure}\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
