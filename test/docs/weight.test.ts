import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';

const root = new URL('../../', import.meta.url);

const kilobytesOf = async (file: string) =>
  gzipSync(await readFile(new URL(`dist/browser/${file}`, root)), { level: 9 }).length / 1000;

const CLAIMS = [
  ['README.md', 'djr.js', /(\d+\.\d) kB gzipped/],
  ['docs/browser.md', 'djr.js', /(\d+\.\d) kB gzipped/],
  ['docs/browser.md', 'djr-topics.mjs', /(\d+\.\d) kB more/],
] as const;

for (const [name, file, claim] of CLAIMS) {
  test(`${name} says what ${file} weighs`, async (t) => {
    const kilobytes = await kilobytesOf(file);
    const said = claim.exec(await readFile(new URL(name, root), 'utf8'))?.[1];
    t.true(Math.abs(Number(said) - kilobytes) < 0.15, `${name} says ${said} kB; it is ${kilobytes.toFixed(1)} kB`);
  });
}
