import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';

const root = new URL('../../', import.meta.url);

for (const name of ['README.md', 'docs/browser.md']) {
  test(`${name} says what the client weighs`, async (t) => {
    const client = await readFile(new URL('dist/browser/djr.js', root));
    const kilobytes = gzipSync(client, { level: 9 }).length / 1000;
    const said = /(\d+\.\d) kB gzipped/.exec(await readFile(new URL(name, root), 'utf8'));
    t.true(
      Math.abs(Number(said?.[1]) - kilobytes) < 0.15,
      `${name} says ${said?.[1]} kB; it is ${kilobytes.toFixed(1)} kB`,
    );
  });
}
