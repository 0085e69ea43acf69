import { spawn, spawnSync } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { freePort } from '../../src/testing/embedded.js';
import { until } from './server.js';

/** Debian puts it where only root's PATH leads. */
const BINARY = ['pgbouncer', '/usr/sbin/pgbouncer', '/usr/local/bin/pgbouncer'].find(
  (candidate) => spawnSync(candidate, ['--version']).status === 0,
);

export const hasPgBouncer = BINARY !== undefined;

export interface PgBouncer {
  /** The database's URI through it. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** It takes connections, and answers nothing. */
  freeze(): void;
  thaw(): void;
}

export interface PgBouncerOptions {
  mode: 'session' | 'transaction' | 'statement';
  /** Further settings of its file. */
  settings?: Record<string, string | number>;
}

/** It refuses root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (userInfo().uid !== 0) return undefined;
  const id = (flag: string) => Number.parseInt(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout, 10);
  return { uid: id('-u'), gid: id('-g') };
}

/** A real PgBouncer in front of a database, until the test ends. */
export async function startPgBouncer(
  t: Pick<ExecutionContext, 'teardown'>,
  target: string,
  { mode, settings = {} }: PgBouncerOptions,
): Promise<PgBouncer> {
  if (!BINARY) throw new Error('There is no pgbouncer: install the Debian package.');
  const { hostname, port: serverPort, username, password, pathname } = new URL(target);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-pgbouncer-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const users = path.join(folder, 'users');
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: users,
    pool_mode: mode,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  await writeFile(file, `[databases]\n* = host=${hostname} port=${serverPort}\n\n[pgbouncer]\n${lines.join('\n')}\n`);
  const owner = unprivileged();
  if (owner) await Promise.all([folder, users, file].map((name) => chown(name, owner.uid, owner.gid)));

  let child: ReturnType<typeof spawn> | undefined;
  const start = async () => {
    child = spawn(BINARY, [file], { ...owner, stdio: 'ignore' });
    const own = child;
    await until('pgbouncer answers', async () => {
      if (own.exitCode !== null) throw new Error(`pgbouncer ended with ${own.exitCode}`);
      return answers(port);
    });
  };
  const stop = async () => {
    const own = child;
    if (!own || own.exitCode !== null || own.signalCode !== null) return;
    const ended = new Promise((resolve) => own.once('exit', resolve));
    own.kill('SIGKILL');
    await ended;
  };
  t.teardown(stop);
  await start();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  url.pathname = pathname;
  return { url: url.href, port, start, stop, freeze: () => child?.kill('SIGSTOP'), thaw: () => child?.kill('SIGCONT') };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
