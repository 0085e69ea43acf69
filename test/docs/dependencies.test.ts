import { readFile } from 'node:fs/promises';
import test from 'ava';
import semver from 'semver';

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

test('each dependency has its reason in CONTRIBUTING.md, and none that is gone has', async (t) => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(await read('package.json'));
  const section = (await read('CONTRIBUTING.md')).split('## Dependencies')[1]!.split('\n## ')[0]!;
  const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].flatMap((row) => row[1]!.split(', '));
  const explained = cells.map((cell) => cell.replaceAll('`', ''));
  t.deepEqual(explained.sort(), Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies }).sort());
});

test('the oldest Node that djr runs on is enough for each package that npm install brings', async (t) => {
  const lock = JSON.parse(await read('package-lock.json')) as {
    packages: Record<string, { engines?: { node?: string }; optional?: boolean }>;
  };
  const refused = Object.entries(lock.packages).filter(
    ([, { engines, optional }]) => engines?.node && !optional && !semver.satisfies('20.19.0', engines.node),
  );
  t.deepEqual(refused, []);
});
