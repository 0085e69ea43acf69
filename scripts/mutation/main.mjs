/**
 * Small wrong changes to the code, one at a time: do the tests of its room notice? By Stryker, which is installed here
 * when it is first asked for.
 *
 *   npm run test:mutation -- event            one room: see rooms.mjs
 *   npm run test:mutation -- --changed        what differs from main, with the tests of its rooms
 *   npm run test:mutation -- event --only src/event/xid-list.ts
 *
 * Ends with status 1 below 90 %. test/mutation.md says what the last runs found.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as rooms from './rooms.mjs';

/** @type {Record<string, { mutate: string[], tests: string[] }>} */
const ROOMS = rooms.ROOMS;

const here = fileURLToPath(new URL('.', import.meta.url));
process.chdir(path.join(here, '../..'));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    changed: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    base: { type: 'string', default: 'main' },
  },
});

/** @returns {{ mutate: string[], tests: string[] }[]} what to change, and the tests that must notice */
function plans() {
  if (values.changed) {
    const { stdout } = spawnSync('git', ['diff', '--name-only', '--diff-filter=AM', values.base, '--', 'src'], {
      encoding: 'utf8',
    });
    const files = stdout.split('\n');
    return Object.values(ROOMS)
      .map(({ mutate, tests }) => ({
        mutate: files.filter((file) => mutate.some((pattern) => file.startsWith(pattern.replace(/\*.*/, '')))),
        tests,
      }))
      .filter(({ mutate }) => mutate.length > 0);
  }
  const unknown = positionals.find((name) => !(name in ROOMS));
  if (unknown || positionals.length === 0) {
    process.stderr.write(`Name a room: ${Object.keys(ROOMS).join(', ')}, or --changed.\n`);
    process.exit(2);
  }
  return positionals.flatMap((name) => {
    const room = ROOMS[name];
    return room ? [{ ...room, mutate: values.only ?? room.mutate }] : [];
  });
}

/** @param {string} command @param {string[]} argv @returns {Promise<number>} */
const run = (command, argv) =>
  new Promise((resolve) => spawn(command, argv, { stdio: 'inherit' }).once('exit', (code) => resolve(code ?? 1)));

if (!existsSync(path.join(here, 'node_modules/@stryker-mutator'))) {
  spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--no-progress', '--prefix', here], { stdio: 'inherit' });
}
const folder = await mkdtemp(path.join(tmpdir(), 'djr-mutation-'));
let worst = 0;
try {
  for (const { mutate, tests } of plans()) {
    const file = path.join(folder, 'stryker.conf.json');
    const config = {
      mutate,
      testRunner: 'command',
      // Each mutant is one more run: the first test that fails is enough to know.
      commandRunner: { command: `node node_modules/ava/entrypoints/cli.mjs --fail-fast ${tests.join(' ')}` },
      // Code that runs once when a module is loaded is mutated as well, at the cost of nothing with this runner.
      ignoreStatic: false,
      concurrency: 2,
      timeoutMS: 60_000,
      reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
      htmlReporter: { fileName: '.djr/mutation/index.html' },
      jsonReporter: { fileName: '.djr/mutation/report.json' },
      thresholds: { high: 95, low: 90, break: 90 },
      tempDirName: '.djr/mutation-sandbox',
      ignorePatterns: [
        'dist',
        'docs',
        'examples',
        'bench',
        '.djr',
        'scripts/site',
        'scripts/mutation',
        'migrations/fixtures',
      ],
      disableTypeChecks: false,
      clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    };
    await writeFile(file, JSON.stringify(config));
    const stryker = path.join(here, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    // The tests' PostgreSQL is started once, and every mutant's run finds it.
    const status = await run(process.execPath, [
      '--import=tsx',
      'test/run.ts',
      '--command',
      `node ${stryker} run ${file}`,
    ]);
    worst = Math.max(worst, status);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = worst;
