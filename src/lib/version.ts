import { readFileSync } from 'node:fs';

// In dist/ this is a constant, which scripts/bake.ts writes.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The version of this package. */
export const VERSION: string = version;
