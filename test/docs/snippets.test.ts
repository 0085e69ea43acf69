import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import { region, withSnippets } from '../../scripts/docs-snippets.js';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFile(new URL(file, root), 'utf8');

test('code that a document shows of an example is what the example runs', async (t) => {
  let snippets = 0;
  for (const name of await readdir(new URL('docs/', root))) {
    if (!name.endsWith('.md')) continue;
    const page = await read(`docs/${name}`);
    snippets += page.match(/^<!-- snippet: /gm)?.length ?? 0;
    t.is(await withSnippets(page, read), page, `docs/${name}: run "npm run docs:snippets"`);
  }
  t.true(snippets >= 20);
});

test('each framework has a section with code of its example', async (t) => {
  const page = await read('docs/frameworks.md');
  const shown = new Set([...page.matchAll(/^<!-- snippet: examples\/([^/]+)\//gm)].map(([, name]) => name));
  const linked = new Set([...page.matchAll(/\]\(\.\.\/examples\/([^/)]+)\)/g)].map(([, name]) => name));
  t.deepEqual([...shown].toSorted(), [...linked].toSorted());
});

test('a region is what stands between its marks, without their indentation', (t) => {
  const code = 'a();\n  // #region one\n  b(() => {\n    c();\n\n  });\n  // #endregion\nd();\n';
  t.is(region(code, 'one'), 'b(() => {\n  c();\n\n});');
  t.throws(() => region(code, 'two'), { message: 'there is no region two' });
});
