import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const docs = (await readdir(new URL('docs/', root)))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);

/** As GitHub makes an anchor of a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const anchors = async (file: URL) =>
  [...(await readFile(file, 'utf8')).matchAll(/^#+ (.+)$/gm)].map((heading) => anchor(heading[1]!));

for (const name of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs]) {
  test(`links of ${name} lead somewhere`, async (t) => {
    const file = new URL(name, root);
    const prose = (await readFile(file, 'utf8')).replace(/^```[\s\S]*?^```/gm, '');
    for (const [, link = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const target = new URL(link, file);
      const hash = decodeURIComponent(target.hash.slice(1));
      target.hash = '';
      t.true(existsSync(target), `${link}: no such file`);
      if (hash && existsSync(target)) t.true((await anchors(target)).includes(hash), `${link}: no such heading`);
    }
    t.pass();
  });
}
