import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import test from 'ava';

const root = new URL('../../', import.meta.url);

/** A file of tests as docs/delivery.md names it: from the root. */
const fileOf = (name: string): URL => new URL(name, root);

test('Each promise of docs/delivery.md names tests that there are', async (t) => {
  const page = await readFile(new URL('docs/delivery.md', root), 'utf8');
  const text = page.slice(page.indexOf('## The promises, each with the test'));
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| promise'));
  const table = rows.filter((row) => row.includes('`'));
  t.true(table.length > 40);
  for (const row of table) {
    const held = row.slice(row.indexOf('|', 2)).replace(/^\|/, '');
    // Up to the next file's name the words are those of this one's tests.
    const named = [...held.matchAll(/`([\w./-]+)`([^`]*)/g)];
    t.true(named.length > 0, row);
    for (const [, name = '', words = ''] of named) {
      if (name.endsWith('/')) {
        t.true(existsSync(fileOf(name)), `${name}: no such folder`);
        continue;
      }
      const file = fileOf(name.endsWith('.ts') ? name : `${name}.test.ts`);
      t.true(existsSync(file), `${name}: no such file`);
      const source = await readFile(file, 'utf8');
      const titles = [...source.matchAll(/^\s*test(?:\.\w+)?\(\s*(['"`])(.*?)\1,/gm)].map((title) => title[2]!);
      for (const [, part = ''] of words.matchAll(/\*([^*]+)\*/g)) {
        t.true(
          titles.some((title) => title.includes(part)),
          `${name} has no test with "${part}" in its title`,
        );
      }
    }
  }
});
