import { readFile } from 'node:fs/promises';
import test from 'ava';
import { optionsOf, optionTables } from '../../scripts/option-tables.js';
import { scriptTag } from '../../src/http/script-tag.js';
import { createDatabase } from '../helpers/database.js';

const page = await readFile('docs/configuration.md', 'utf8');

test('The tables of options in the documents are those of the code', async (t) => {
  const documents = await optionTables();
  t.true(documents.size > 3);
  for (const [document, text] of documents) {
    t.is(await readFile(document, 'utf8'), text, `${document}: run \`npm run sql:write\``);
  }
});

test('An option without a word of what it does is refused', (t) => {
  const source = 'export interface Options {\n  /** Milliseconds. */\n  one?: number;\n  two?: number;\n}\n';
  t.throws(() => optionsOf(source, 'Options'), { message: /not for two/ });
});

test('The page has every setting of the database, and its default', async (t) => {
  const { query } = await createDatabase(t);
  const [settings] = await query('select * from djr.settings');
  const section = page.split('## Settings in the database')[1]!.split('\n## ')[0]!;
  const rows = new Map([...section.matchAll(/^\| `(\w+)` +\| (.*?) +\|/gm)].map((row) => [row[1]!, row[2]!]));
  const internal = ['pruned_xid', 'one_row', 'generation', 'largest_bytes'];
  t.deepEqual(
    [...rows.keys()].sort(),
    Object.keys(settings!)
      .filter((name) => !internal.includes(name))
      .sort(),
  );
  for (const [name, said] of rows) {
    const value = settings![name];
    if (name === 'channel') t.is(said, 'random');
    else if (value === null) t.true(said.startsWith('null'), name);
    else if (typeof value === 'object') t.is(said, `\`'7 days'\``, name);
    else t.is(said, typeof value === 'string' ? `\`'${value}'\`` : `\`${value}\``, name);
  }
});

test('docs/browser.md has every attribute of the script tag, with its option', async (t) => {
  const section = (await readFile('docs/browser.md', 'utf8')).split('## The script tag')[1]!.split('\n## ')[0]!;
  const rows = [...section.matchAll(/^\| `(data-[\w-]+)` \| `(\w+)` \|/gm)].map((row) => [row[1]!, row[2]!]);
  const values = {
    endpoint: 'e',
    autoConnect: false,
    since: 's',
    topics: ['t'],
    seals: ['x'],
    shareTabs: false,
    key: 'k',
  };
  const printed = [...scriptTag('/realtime', values).matchAll(/ (data-[\w-]+)=/g)].map((match) => match[1]!);
  t.deepEqual(
    rows.map(([attribute]) => attribute),
    printed,
  );
  t.deepEqual(rows.map(([, option]) => option).sort(), Object.keys(values).sort());
});
