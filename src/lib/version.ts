import { readFileSync } from 'node:fs';

// In dist/ this is a constant: scripts/bake.ts.
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Of this package. */
export const VERSION: string = version;
