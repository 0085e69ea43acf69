/**
 * The documentation as a site: docs/ and bench/README.md, by VitePress. Its packages are installed here when it is first
 * asked for, so that `npm install` in a clone stays small.
 *
 *   npm run docs             serves it, and shows each change at once
 *   npm run docs:build       writes scripts/site/.vitepress/dist; a dead link fails it
 */
import { spawnSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = path.join(here, '../..');
const pages = path.join(here, 'pages');

/**
 * A page as the site has it: the benchmark is a page of it, and what is no page keeps its text and loses its link, as
 * there is nothing to open.
 */
function toPage(/** @type {string} */ text) {
  return text
    .replaceAll(/\]\((?:\.\.\/)?bench\/README\.md/g, '](benchmark.md')
    .replaceAll(/\]\((?:\.\.\/)?docs\//g, '](')
    .replaceAll(/\[([^\]]+)\]\((?:\.\.\/|CHANGELOG|CONTRIBUTING|LICENSE|examples\/)[^)]*\)/g, '$1');
}

async function copyPages() {
  const docs = path.join(root, 'docs');
  await rm(pages, { recursive: true, force: true });
  await mkdir(pages, { recursive: true });
  for (const file of await readdir(docs)) {
    if (file.endsWith('.md'))
      await writeFile(path.join(pages, file), toPage(await readFile(path.join(docs, file), 'utf8')));
    else await cp(path.join(docs, file), path.join(pages, file), { recursive: true });
  }
  await writeFile(path.join(pages, 'benchmark.md'), toPage(await readFile(path.join(root, 'bench/README.md'), 'utf8')));
}

function run(/** @type {string} */ command, /** @type {string[]} */ ...argv) {
  const { status } = spawnSync(command, argv, { cwd: here, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(path.join(here, 'node_modules/vitepress')))
  run('npm', 'ci', '--no-audit', '--no-fund', '--no-progress');
await copyPages();
if (process.argv[2] === 'build') {
  run(process.execPath, 'node_modules/vitepress/bin/vitepress.js', 'build');
} else {
  for (const folder of ['docs', 'bench']) watch(path.join(root, folder), () => void copyPages());
  process.chdir(here);
  const { createServer } = await import(/** @type {string} */ ('vitepress'));
  const server = await createServer(here);
  await server.listen();
  server.printUrls();
}
