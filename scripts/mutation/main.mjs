/**
 * Small wrong changes to the code, one at a time: do the tests of its room notice? By Stryker, which is installed here
 * when it is first asked for.
 *
 *   npm run test:mutation -- event            one room: see rooms.mjs; `sql`: the rules in SQL, see sql.ts
 *   npm run test:mutation -- event --units    with the tests alone that need no database: minutes instead of an hour
 *   npm run test:mutation -- event --only src/event/xid-list.ts
 *   npm run test:mutation -- --changed        the lines that differ from main; --base REVISION: from that one
 *
 * Ends with status 1 below 90 %. test/mutation.md says what the last runs found.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { changedLines } from './changed.mjs';
import { ROOMS } from './rooms.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
process.chdir(path.join(here, '../..'));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    changed: { type: 'boolean' },
    units: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    base: { type: 'string', default: 'main' },
    concurrency: { type: 'string', default: '1' },
  },
});

/** @typedef {import('./rooms.mjs').Room & { name: string }} Plan */

/** @returns {Plan[]} what to change, and the tests that must notice */
function plans() {
  if (values.changed) return changedLines(values.base, ROOMS);
  const unknown = positionals.find((name) => !(name in ROOMS));
  if (unknown || positionals.length === 0) {
    process.stderr.write(`Name a room: ${Object.keys(ROOMS).join(', ')}, sql, or --changed.\n`);
    process.exit(2);
  }
  return positionals.flatMap((name) => {
    const room = ROOMS[name];
    return room
      ? [
          {
            ...room,
            name: [name, ...(values.only ?? []).map((file) => path.basename(file, '.ts'))].join('-'),
            mutate: values.only ?? room.mutate,
          },
        ]
      : [];
  });
}

/** @param {string[]} argv @returns {Promise<number>} */
const run = (argv) =>
  new Promise((resolve) =>
    spawn(process.execPath, argv, { stdio: 'inherit' }).once('exit', (code) => resolve(code ?? 1)),
  );

/** @param {Plan} plan @param {string[]} tests */
const configOf = ({ name, mutate }, tests) => ({
  mutate,
  plugins: ['@stryker-mutator/mocha-runner', path.join(here, 'words.mjs')],
  ignorers: ['words'],
  testRunner: 'mocha',
  mochaOptions: { spec: tests, extension: ['ts'], 'no-config': true, 'no-package': true },
  testRunnerNodeArgs: ['--import=tsx', `--import=${pathToFileURL(path.join(here, 'register.mjs')).href}`],
  coverageAnalysis: 'perTest',
  concurrency: Number(values.concurrency),
  // What a mutant left open must not add up.
  maxTestRunnerReuse: 100,
  timeoutMS: 20_000,
  // What was found for code and tests that are as they were stays.
  incremental: !values.changed,
  incrementalFile: `.djr/mutation/${name}-incremental.json`,
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  htmlReporter: { fileName: `.djr/mutation/${name}.html` },
  jsonReporter: { fileName: `.djr/mutation/${name}.json` },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.djr/mutation-sandbox',
  ignorePatterns: [
    'dist',
    'docs',
    'bench',
    '.djr',
    'scripts/site',
    'scripts/mutation/node_modules',
    'migrations/fixtures',
  ],
  disableTypeChecks: false,
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
});

if (positionals[0] === 'sql') {
  const command = `node --import=tsx --import=./scripts/mutation/register.mjs scripts/mutation/sql.ts ${(values.only ?? []).join(' ')}`;
  process.exit(await run(['--import=tsx', 'test/run.ts', '--command', command]));
}
if (!existsSync(path.join(here, 'node_modules/@stryker-mutator/mocha-runner'))) {
  spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--no-progress', '--prefix', here], { stdio: 'inherit' });
}
const folder = await mkdtemp(path.join(tmpdir(), 'djr-mutation-'));
await mkdir('.djr/mutation', { recursive: true });
// The same cases of a property for each mutant.
process.env.DJR_FUZZ_SEED ??= '1';
const stryker = path.join(here, 'node_modules/@stryker-mutator/core/bin/stryker.js');

/** @param {Plan} plan @param {string[]} tests */
async function configured(plan, tests) {
  const file = path.join(folder, 'stryker.conf.json');
  await writeFile(file, JSON.stringify(configOf(plan, tests)));
  return file;
}

let worst = 0;
try {
  const all = plans();
  if (all.length === 0) process.stdout.write(`Nothing of these rooms differs from ${values.base}.\n`);
  for (const plan of all) {
    // What these find the others need not: a run with more tests looks at what has survived alone.
    // Nothing that a unit waits for takes so long.
    process.env.DJR_MUTATION_IDLE = '3000';
    let status = await run([stryker, 'run', await configured(plan, plan.units)]);
    if (!values.units && plan.tests.length > 0) {
      process.env.DJR_MUTATION_IDLE = '8000';
      // The tests' PostgreSQL is started once, and every mutant's run finds it.
      const command = `node ${stryker} run ${await configured(plan, [...plan.units, ...plan.tests])}`;
      status = await run(['--import=tsx', 'test/run.ts', '--command', command]);
    }
    worst = Math.max(worst, status);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = worst;
