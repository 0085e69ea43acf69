/**
 * Starts an example, with a PostgreSQL of its own where DATABASE_URL names none; Ctrl-C ends both. What a framework needs is installed
 * in a folder below `.djr` at the first time.
 *
 *   npm run example NAME
 */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { migrate } from '../src/install/migrate.js';
import { freePort, startEmbedded } from '../src/testing/embedded.js';
import { EXAMPLES, IN_PLACE, portOf } from './frameworks/examples.js';
import { run, Workshop } from './frameworks/workshop.js';

const name = process.argv[2] ?? '';
const installed = EXAMPLES[name];
const inPlace = IN_PLACE[name];
if (!installed && !inPlace) {
  const names = [...Object.keys(IN_PLACE), ...Object.keys(EXAMPLES)].join(', ');
  process.stderr.write(`Which example? npm run example NAME, with NAME one of ${names}.\n`);
  process.exit(1);
}

const server = process.env.DATABASE_URL ? undefined : await startEmbedded();
const database = process.env.DATABASE_URL ?? server!.url;
await migrate(database);
const port = Number(process.env.PORT) || (await freePort());
const origin = `http://127.0.0.1:${port}`;
const own = { DATABASE_URL: database, PORT: `${port}`, HOST: '127.0.0.1' };

async function prepare() {
  if (inPlace) return { cwd: process.cwd(), command: inPlace.start, env: { ...process.env, ...inPlace.env } };
  const { build, develop, env, node, start } = installed!;
  const root = path.resolve('.djr/examples');
  await mkdir(root, { recursive: true });
  const workshop = new Workshop(root);
  const cwd = await workshop.install(name, installed);
  const secret = { SESSION_SECRET: process.env.SESSION_SECRET ?? 'of an example, which is on this machine alone' };
  const all = { ...(await workshop.environment(cwd, node)), ...secret, ...env?.(origin) };
  const command = develop?.start ?? start;
  if (build && !develop) run(cwd, ['npx', ...build], { ...all, ...own });
  return { cwd, command: develop ? [...command, ...portOf(command, port)] : command, env: all };
}

const { command, cwd, env } = await prepare();
process.stdout.write(`${name} is at ${origin}, on ${database}\n`);
const child = spawn(command[0]!, command.slice(1), { cwd, env: { ...env, ...own }, stdio: 'inherit' });
// Ctrl-C reaches the example as well, which ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
}
child.once('exit', async (code) => {
  await server?.dispose();
  process.exit(code ?? 0);
});
