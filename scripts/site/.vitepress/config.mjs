import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { SECTIONS } from '../pages.mjs';

const DESCRIPTION =
  'Realtime for any app on PostgreSQL: SELECT djr.publish(...), and the browser gets a DOM event a few milliseconds later.';

const folder = fileURLToPath(new URL('../pages/', import.meta.url));

/** The first heading of a page, without its markup. */
const titleOf = (page) =>
  /^# (.+)$/m.exec(readFileSync(path.join(folder, `${page}.md`), 'utf8'))[1].replaceAll('`', '');

/** What a language model reads first: each page with its address and what it says at its beginning. */
async function writeLlms({ outDir }) {
  const lines = ['# djr', '', `> ${DESCRIPTION}`, ''];
  for (const { text, pages } of SECTIONS) {
    lines.push(`## ${text}`, '');
    for (const page of pages) {
      const source = await readFile(path.join(folder, `${page}.md`), 'utf8');
      await writeFile(path.join(outDir, `${page}.md`), source);
      const [, first = ''] = /^# .+\n+(?:<!--[\s\S]*?-->\n+)?([^#|<`\n-][\s\S]*?)\n\n/m.exec(source) ?? [];
      lines.push(`- [${titleOf(page)}](${page}.md): ${first.replaceAll('\n', ' ')}`);
    }
    lines.push('');
  }
  await writeFile(path.join(outDir, 'llms.txt'), lines.join('\n'));
}

/** A column without a heading has a plain cell there: a heading that says nothing is read aloud as one. */
function emptyHeaders(/** @type {import('vitepress').MarkdownRenderer} */ markdown) {
  markdown.core.ruler.push('empty-headers', ({ tokens }) => {
    for (const [index, token] of tokens.entries()) {
      if (token.type !== 'th_open' || tokens[index + 1].content !== '') continue;
      token.tag = 'td';
      tokens[index + 2].tag = 'td';
    }
  });
}

/**
 * Tables of options, and others of three columns and more whose rows begin with a name in code, are read on a phone one row below
 * the other: each cell then says under which heading it stands.
 */
function stackedTables(/** @type {import('vitepress').MarkdownRenderer} */ markdown) {
  markdown.core.ruler.push('stacked-tables', ({ tokens }) => {
    let table;
    let headings = [];
    let column = 0;
    for (const [index, token] of tokens.entries()) {
      if (token.type === 'table_open') [table, headings] = [token, []];
      if (token.type === 'th_open') headings.push(tokens[index + 1].content);
      if (token.type === 'tr_open') column = 0;
      if (token.type !== 'td_open') continue;
      if (column === 0 && headings.length > 2 && tokens[index + 1].content.startsWith('`'))
        table.attrJoin('class', 'stacked');
      if (column > 0 && headings[column]) token.attrSet('data-heading', headings[column]);
      column += 1;
    }
  });
}

export default defineConfig({
  title: 'djr',
  description: DESCRIPTION,
  buildEnd: writeLlms,
  lang: 'en',
  cleanUrls: false,
  lastUpdated: false,
  // Everything is on the page's own host: the site works offline and behind a firewall.
  head: [['meta', { name: 'theme-color', content: '#1b5e4b' }]],
  srcDir: './pages',
  markdown: {
    config(markdown) {
      markdown.use(emptyHeaders).use(stackedTables);
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Rooms', link: '/rooms' },
      { text: 'SQL', link: '/sql' },
      { text: 'Browser', link: '/browser' },
    ],
    sidebar: SECTIONS.map(({ text, pages }) => ({
      text,
      items: pages.map((page) => ({ text: titleOf(page), link: `/${page}` })),
    })),
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    docFooter: { prev: 'Before', next: 'Next' },
    footer: { message: 'MIT license' },
  },
});
