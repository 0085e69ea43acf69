import { readdirSync } from 'node:fs';
import { basename } from 'node:path';

// In dist/ this is a constant, which scripts/bake.ts writes.
const files = readdirSync(new URL('../../migrations/committed', import.meta.url));

/** The newest migration of this version of djr, as `djr.migrations` names it. */
export const NEWEST_MIGRATION: string = basename(
  files
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .at(-1)!,
  '.sql',
);
