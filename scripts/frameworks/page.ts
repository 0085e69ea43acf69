import { createRequire } from 'node:module';
import path from 'node:path';
import { run, type Workshop } from './workshop.js';

/** What djr's own tests do with the frameworks that it installs is done with these, too. */
const VERSIONS: Record<string, { tests: string; packages: Record<string, string> }> = {
  'react-18': { tests: 'React*', packages: { react: '^18.0.0', 'react-dom': '^18.0.0' } },
  'svelte-4': { tests: 'Svelte*', packages: { svelte: '^4.0.0' } },
};

export const PAGE_FRAMEWORKS = Object.keys(VERSIONS);

/** Runs the tests of `djr/react`, `djr/svelte` in Chromium with another version. @returns what has been found */
export async function checkInPage(workshop: Workshop, name: string): Promise<string> {
  const { packages, tests } = VERSIONS[name]!;
  // All three are imported by the tests' file.
  const folder = await workshop.make(name, { svelte: '^5.0.0', ...packages });
  const { version } = createRequire(path.join(folder, 'package.json'))(`${Object.keys(packages)[0]}/package.json`);
  const env = { ...process.env, DJR_TEST_FRAMEWORKS: folder };
  const test = ['--import=tsx', 'test/run.ts', '--browser', 'test/browser/frameworks.test.ts', `--match=${tests}`];
  const said = run(process.cwd(), [process.execPath, ...test], env);
  return `${version}: ${/\d+ tests? passed/.exec(said)?.[0]}`;
}
