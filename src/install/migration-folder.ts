import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIGRATIONS } from './migration-files.js';

/** This file's address; undefined in a CommonJS file that a bundler has made. */
const here: string | undefined = import.meta.url;

/**
 * Calls with a folder that has the migrations as files, as their runner reads them from there: the package's own, else a temporary one. An
 * app that a bundler has made into one file has no package beside it.
 */
export async function withMigrationFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const own = await packageFolder();
  if (own) return work(own);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-migrations-'));
  try {
    await Promise.all(MIGRATIONS.map(({ name, sql }) => writeFile(path.join(folder, `${name}.sql`), sql)));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Not `new URL('…', import.meta.url)`, which bundlers take for a file to bundle. */
async function packageFolder(): Promise<string | undefined> {
  if (!here?.startsWith('file:')) return undefined;
  const folder = path.resolve(path.dirname(fileURLToPath(here)), '../../migrations/committed');
  const found = MIGRATIONS.map(({ name }) => access(path.join(folder, `${name}.sql`)));
  return Promise.all(found).then(
    () => folder,
    () => undefined,
  );
}
