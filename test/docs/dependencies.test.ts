import { readFile } from 'node:fs/promises';
import test from 'ava';

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

test('each dependency has its reason in CONTRIBUTING.md, and none that is gone has', async (t) => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(await read('package.json'));
  const section = (await read('CONTRIBUTING.md')).split('## Dependencies')[1]!.split('\n## ')[0]!;
  const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].flatMap((row) => row[1]!.split(', '));
  const explained = cells.map((cell) => cell.replaceAll('`', ''));
  t.deepEqual(explained.sort(), Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).sort());
});
