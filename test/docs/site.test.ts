import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import { SECTIONS } from '../../scripts/site/pages.mjs';

const docs = new URL('../../docs/', import.meta.url);
const listed = SECTIONS.flatMap(({ pages }) => pages);

test('the sidebar of the site has every page, once', async (t) => {
  const files = (await readdir(docs)).filter((file) => file.endsWith('.md')).map((file) => file.replace(/\.md$/, ''));
  t.deepEqual(listed.toSorted(), [...files.filter((name) => name !== 'index'), 'benchmark'].sort());
});

test('each page begins with a heading of its own', async (t) => {
  const titles = await Promise.all(
    listed
      .filter((page) => page !== 'benchmark')
      .map(async (page) => /^# (.+)$/m.exec(await readFile(new URL(`${page}.md`, docs), 'utf8'))?.[1]),
  );
  t.false(titles.includes(undefined));
  t.is(new Set(titles).size, titles.length);
});

test('The picture of the life of an event names folders that there are, in its order', async (t) => {
  const page = await readFile(new URL('concepts.md', docs), 'utf8');
  const picture = page.slice(page.indexOf('## The life of an event'), page.indexOf('### Two ways'));
  const folders = [...picture.matchAll(/ (src\/\w+|sql)\/$/gm)].map((match) => match[1]!);
  t.deepEqual(folders, ['sql', 'src/source', 'src/stream', 'src/clients', 'src/http', 'src/browser']);
  for (const folder of folders) await t.notThrowsAsync(readdir(new URL(`../${folder}/`, docs)), folder);
});
