/**
 * Installs, builds and starts the examples in large frameworks, each in a folder of its own with the packed file, and does with them what
 * test/examples/frameworks.test.ts does with the others. Not a part of `npm test`: it fetches some hundred megabytes.
 *
 *   npm run test:frameworks [NAME…]
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../src/install/migrate.js';
import { startEmbedded } from '../src/testing/embedded.js';
import { openStream } from '../test/helpers/stream.js';

interface Example {
  /** What `npx` runs to build it. */
  build?: string[];
  /** What starts it, without npm before it, which would hear the signal. */
  start: string[];
  /** Where its form logs in. */
  login?: string;
}

const EXAMPLES: Record<string, Example> = {
  sveltekit: { build: ['vite', 'build'], start: ['node', 'build'], login: '/' },
  bun: { start: ['bun', 'server.js'], login: '/login' },
  deno: { start: ['deno', 'run', '--allow-all', 'server.js'], login: '/login' },
};

/** Milliseconds in which a framework must be ready, and in which it must have ended. */
const READY = 60_000;
const ENDED = 10_000;

const root = await mkdtemp(path.join(tmpdir(), 'djr-frameworks-'));
const server = await startEmbedded();
const database = server.url;
await migrate(database);
const client = new pg.Client(database);
await client.connect();

function run(cwd: string, command: string[], env: NodeJS.ProcessEnv = process.env): string {
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

async function until(what: string, condition: () => boolean | Promise<boolean>, milliseconds = READY): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${milliseconds} ms in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The example as an app of its own has it. */
async function install(name: string, tarball: string): Promise<string> {
  const folder = path.join(root, name);
  await mkdir(folder);
  await cp(`examples/${name}`, folder, {
    recursive: true,
    filter: (file) => !/node_modules|\.next|\.output|\.svelte-kit/.test(file),
  });
  const manifest = (await readFile(path.join(folder, 'package.json'), 'utf8')).replace('file:../..', `file:${tarball}`);
  await writeFile(path.join(folder, 'package.json'), manifest);
  run(folder, ['npm', 'install', '--no-audit', '--no-fund', '--no-progress']);
  return folder;
}

async function check(name: string, example: Example, tarball: string): Promise<string> {
  const folder = await install(name, tarball);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const env = {
    ...process.env,
    DATABASE_URL: database,
    PORT: `${port}`,
    HOST: '127.0.0.1',
    ORIGIN: new URL(url).origin,
  };
  if (example.build) run(folder, ['npx', ...example.build], env);
  const bin = path.join(folder, 'node_modules/.bin');
  const child = spawn(example.start[0]!, example.start.slice(1), {
    cwd: folder,
    env: { ...env, PATH: `${bin}:${process.env.PATH}`, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (text) => (log += text));
  const teardowns: (() => unknown)[] = [];
  try {
    await until('it answers', () =>
      fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    const cookie = example.login ? await login(new URL(example.login, url)) : 'name=ann';
    const page = (await (await fetch(url, { headers: { cookie } })).text()).replaceAll('&quot;', '"');
    const attribute = (key: string) => new RegExp(`data-${key}\\\\?"?[=:]\\\\?"([^"\\\\]+)`, 'i').exec(page)?.[1] ?? '';
    const stream = new URL('/realtime/sse/', url);
    for (const [key, value] of [
      ['since', attribute('since')],
      ['topic', 'lobby'],
      ['seal', attribute('seal')],
    ] as const) {
      stream.searchParams.set(key, value);
    }
    const t = { teardown: (end: () => unknown) => teardowns.push(end) };
    const ann = await openStream(t as never, stream.href, { headers: { cookie } });
    if (ann.status !== 200) throw new Error(`the stream is refused with ${ann.status}: ${ann.raw}`);
    await client.query(`select djr.publish('ann', 'note', '{"text": "for ann"}')`);
    await client.query(`select djr.publish('bob', 'note', '{"text": "for bob"}')`);
    await client.query(`select djr.publish_topic('lobby', 'note', '{"text": "for all"}')`);
    await ann.until('both', () => ann.events.length >= 2);
    const texts = ann.events.map(({ data }) => data.text).join(', ');
    if (texts !== 'for ann, for all') throw new Error(`ann got ${texts}`);
    const script = await fetch(new URL('/realtime/djr.js', url));
    if (!script.ok) throw new Error(`djr.js is answered with ${script.status}`);
    const asked = performance.now();
    child.kill('SIGTERM');
    await until('it ends', () => child.exitCode !== null || child.signalCode !== null, ENDED);
    const took = Math.round(performance.now() - asked);
    await ann.end();
    if (!ann.retry) throw new Error('the page was not told when to come back');
    return `ended ${took} ms after SIGTERM`;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${log}`);
  } finally {
    child.kill('SIGKILL');
    for (const end of teardowns) await end();
  }
}

async function login(url: URL): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url.origin },
    body: new URLSearchParams({ name: 'ann' }),
  });
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
  if (cookies.length === 0) throw new Error(`the login set no cookie (${response.status}): ${await response.text()}`);
  return cookies.join('; ');
}

try {
  const packed = run(process.cwd(), ['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', root]);
  const tarball = path.join(root, packed.trim().split('\n').at(-1)!);
  const wanted = process.argv.slice(2);
  for (const [name, example] of Object.entries(EXAMPLES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    try {
      process.stdout.write(`ok   ${name}: ${await check(name, example, tarball)}\n`);
    } catch (error) {
      process.stdout.write(`fail ${name}: ${(error as Error).message}\n`);
      process.exitCode = 1;
    }
  }
} finally {
  await client.end();
  await server.dispose();
  await rm(root, { recursive: true, force: true });
}
