/**
 * Writes code of the examples into the documents; `--check` fails where a document has other code.
 *
 * A document names a region of an example above its block, as `<!-- snippet: examples/koa/server.js mount -->`. In the example the region stands
 * between `// #region mount` and `// #endregion`.
 *
 *   node --import=tsx scripts/docs-snippets.ts [--check]
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @throws when the file has no such region */
export function region(code: string, name: string): string {
  const lines = code.split('\n');
  const begin = lines.findIndex((line) => line.trim() === `// #region ${name}`);
  const length = lines.slice(begin).findIndex((line) => line.trim() === '// #endregion');
  if (begin < 0 || length < 0) throw new Error(`there is no region ${name}`);
  const inside = lines.slice(begin + 1, begin + length);
  const indents = inside.filter(Boolean).map((line) => line.search(/\S/));
  return inside.map((line) => line.slice(Math.min(...indents))).join('\n');
}

/** @param read - gets an example's code; @returns the document with the code of now */
export async function withSnippets(page: string, read: (file: string) => Promise<string>): Promise<string> {
  let text = '';
  let end = 0;
  for (const found of page.matchAll(/^<!-- snippet: (\S+) (\S+) -->\n(```\w+\n)[\s\S]*?^```$/gm)) {
    const [whole, file = '', name = '', fence = ''] = found;
    const code = region(await read(file), name);
    text += `${page.slice(end, found.index)}<!-- snippet: ${file} ${name} -->\n${fence}${code}\n\`\`\``;
    end = found.index + whole.length;
  }
  return text + page.slice(end);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const read = (file: string) => readFile(path.join(root, file), 'utf8');
  for (const name of await readdir(path.join(root, 'docs'))) {
    if (!name.endsWith('.md')) continue;
    const page = await read(`docs/${name}`);
    const current = await withSnippets(page, read);
    if (current === page) continue;
    if (process.argv.includes('--check')) {
      process.stderr.write(
        `docs/${name} has other code than its examples: run "npm run docs:snippets" and commit it.\n`,
      );
      process.exitCode = 1;
    } else await writeFile(path.join(root, 'docs', name), current);
  }
}
