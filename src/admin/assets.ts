import { readFileSync } from 'node:fs';

// In dist/ these are constants, which scripts/bake.ts writes.
const read = (name: string) => readFileSync(new URL(`../../dist/assets/${name}`, import.meta.url), 'utf8');

/** The files that the admin's pages load. */
export const ADMIN_ASSETS: Readonly<Record<'admin.css' | 'admin.js' | 'htmx.min.js', string>> = {
  'admin.css': read('admin.css'),
  'admin.js': read('admin.js'),
  'htmx.min.js': read('htmx.min.js'),
};
