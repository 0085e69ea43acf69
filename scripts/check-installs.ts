/**
 * Installs the packed file as an app does, with each package manager, in a folder of its own: none may fail or complain of engines, and
 * what is there must run. Managers that are not on the machine come through `npx`.
 *
 *   node --import=tsx scripts/check-installs.ts [npm pnpm yarn1 yarn4 yarn4-pnp bun]
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface Manager {
  install: string[];
  /** Files that it wants beside package.json. */
  files?: Record<string, string>;
  env?: Record<string, string>;
  /** What runs Node and the package's command, where packages are not in node_modules. */
  yarn?: string[];
}

const npx = (name: string, ...args: string[]) => ['npx', '--yes', `--package=${name}`, '--', ...args];

const MANAGERS: Record<string, Manager> = {
  npm: { install: ['npm', 'install', '--no-progress', '--no-audit', '--no-fund'] },
  pnpm: { install: npx('pnpm@10', 'pnpm', 'install', '--ignore-workspace') },
  // It keeps a file by name and version, and would install that of the last run.
  yarn1: {
    install: npx('yarn@1', 'yarn', 'install', '--no-progress', '--non-interactive', '--cache-folder', 'cache'),
  },
  yarn4: {
    install: npx('@yarnpkg/cli-dist@4', 'yarn', 'install', '--no-immutable'),
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
    env: { YARN_ENABLE_HARDENED_MODE: '0' },
  },
  // Packages are found by those alone that declare them, and read from their archives.
  'yarn4-pnp': {
    install: npx('@yarnpkg/cli-dist@4', 'yarn', 'install', '--no-immutable'),
    files: { '.yarnrc.yml': 'nodeLinker: pnp\nenableTelemetry: false\n', 'yarn.lock': '' },
    env: { YARN_ENABLE_HARDENED_MODE: '0' },
    yarn: npx('@yarnpkg/cli-dist@4', 'yarn'),
  },
  bun: { install: npx('bun@1', 'bun', 'install') },
};

/** What a newcomer must not read. */
const COMPLAINTS =
  /EBADENGINE|engine .* is incompatible|incompatible with this (version|module)|ERR_PNPM_IGNORED_BUILDS|ENOENT/i;

const root = await mkdtemp(path.join(tmpdir(), 'djr-installs-'));
const run = (cwd: string, [command = '', ...args]: string[], env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, CI: 'true', NO_COLOR: '1', ...env },
    timeout: 180_000,
  });
  return { status, output: `${stdout}${stderr}` };
};

async function check(
  name: string,
  { install, files = {}, env = {}, yarn }: Manager,
  tarball: string,
): Promise<string[]> {
  const folder = path.join(root, name);
  await mkdir(folder);
  const manifest = { private: true, type: 'module', dependencies: { djr: `file:${tarball}`, react: '^19' } };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  for (const [file, content] of Object.entries(files)) await writeFile(path.join(folder, file), content);
  const { status, output } = run(folder, install, env);
  if (status !== 0) return [`it ended with ${status}:\n${output}`];
  const complaint = output.split('\n').filter((line) => COMPLAINTS.test(line));
  const node = yarn ? [...yarn, 'node'] : [process.execPath];
  const ran = [
    run(folder, [...node, '-e', "import('djr').then(({ createRealtime }) => createRealtime())"], env),
    run(folder, [...node, '-e', "import('djr/browser')"], env),
    run(folder, [...node, '-e', "import('djr/react')"], env),
    run(folder, [...(yarn ? [...yarn, 'djr'] : [path.join(folder, 'node_modules/.bin/djr')]), '--version'], env),
  ];
  return [...complaint, ...ran.filter((one) => one.status !== 0).map((one) => one.output)];
}

try {
  const packed = run(process.cwd(), ['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', root]);
  const tarball = path.join(root, packed.output.trim().split('\n').at(-1)!);
  const wanted = process.argv.slice(2);
  for (const [name, manager] of Object.entries(MANAGERS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const faults = await check(name, manager, tarball);
    process.stdout.write(`${faults.length === 0 ? 'ok  ' : 'fail'} ${name}\n`);
    for (const fault of faults) process.stdout.write(`     ${fault}\n`);
    if (faults.length > 0) process.exitCode = 1;
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
