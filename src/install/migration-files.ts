import { readdirSync, readFileSync } from 'node:fs';

// In dist/ these are constants, which scripts/bake.ts writes.
const committed = new URL('../../migrations/committed/', import.meta.url);
const source = (name: string) => readFileSync(new URL(`../../sql/${name}`, import.meta.url), 'utf8');

/** One file of migrations/committed. */
export interface CommittedMigration {
  /** The name in `djr.migrations`: the file's name without `.sql`. */
  readonly name: string;
  readonly sql: string;
}

/** The committed migrations in the order in which they are applied. */
export const MIGRATIONS: readonly CommittedMigration[] = readdirSync(committed)
  .filter((file) => file.endsWith('.sql'))
  .sort()
  .map((file) => ({ name: file.replace(/\.sql$/, ''), sql: readFileSync(new URL(file, committed), 'utf8') }));

/** Checks that everything in the schema belongs to the installing role and that no other installation runs. */
export const CHECKS: string = source('install/begin.sql');

/** Records existing grants, for which an older schema has no record. */
export const CARRYING_OVER: string = [source('tables/_grant.sql'), source('install/carry_over.sql')].join('\n');
