import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import test from 'ava';

for (const name of ['djr.js', 'djr.mjs']) {
  test(`${name} weighs at most 8.5 kB on the wire`, (t) => {
    const file = readFileSync(new URL(`../../dist/browser/${name}`, import.meta.url));
    t.true(gzipSync(file, { level: 9 }).length <= 8704);
  });
}
