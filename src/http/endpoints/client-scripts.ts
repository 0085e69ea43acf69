import { readFileSync } from 'node:fs';

// In dist/ these are constants, which scripts/bake.ts writes.
const read = (name: string) => readFileSync(new URL(`../../../dist/browser/${name}`, import.meta.url), 'utf8');

/** The browser client: a classic script, a module, and the part that both load for topics; without the lines that name their source maps. */
export const CLIENT_SCRIPTS: Readonly<Record<'djr.js' | 'djr.mjs' | 'djr-topics.mjs', string>> = {
  'djr.js': withoutMap(read('djr.js')),
  'djr.mjs': withoutMap(read('djr.mjs')),
  'djr-topics.mjs': withoutMap(read('djr-topics.mjs')),
};

function withoutMap(script: string): string {
  return script.replace(/\/\/# sourceMappingURL=.*\n?$/, '');
}
