import { readFile } from 'node:fs/promises';
import test from 'ava';
import { resolveOptions } from '../../src/options.js';

const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const source = await readFile(new URL('../../src/realtime-options.ts', import.meta.url), 'utf8');

/** The table's rows: an option's name, and its default. */
const rows = new Map(
  page
    .split('## Settings in the database')[0]!
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter(([, name]) => /^[a-z]\w+$/i.test(name ?? '') && name !== 'option')
    .map(([, name, , value]) => [name!, value!] as const),
);

const start = source.indexOf('interface RealtimeOptions');
const declared = source.slice(start, source.indexOf('\n}\n', start));
const names = [...declared.matchAll(/^ {2}(\w+)\?:/gm)].map((match) => match[1]!);

test('the page has every option, and no other', (t) => {
  t.true(names.length > 10);
  t.deepEqual([...rows.keys()].sort(), names.sort());
});

test('the defaults are those of the code', (t) => {
  for (const [name, value] of Object.entries(resolveOptions({ database: 'postgres://localhost/app' }))) {
    if (typeof value === 'number') t.is(rows.get(name), String(value), name);
    if (typeof value === 'string' && name === 'basePath') t.is(rows.get(name), `'${value}'`, name);
  }
});
