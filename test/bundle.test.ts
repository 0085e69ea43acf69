import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { build, type Format } from 'esbuild';
import { printMigrations } from '../src/install/migrate.js';
import { createDatabase, type TestDatabase } from './helpers/database.js';
import { openStream } from './helpers/stream.js';

// An app that a bundler has made into one file, in a folder of its own: of the package nothing else is there.

const APP = `
import { createServer } from 'node:http';
import { createRealtime } from 'djr';

const realtime = createRealtime({
  stopOn: ['SIGTERM'],
  authenticate: () => 'ada',
  admin: { authorize: () => true },
});
const server = createServer(realtime.handler).listen(0, '127.0.0.1', () => {
  console.log('http://127.0.0.1:' + server.address().port);
});
`;

/** An app that brings its database up to date when it starts. */
const MIGRATING = `
import { migrate, printMigrations } from 'djr/migrate';

migrate(process.env.DATABASE_URL).then(async (applied) => {
  console.log(JSON.stringify({ applied, printed: (await printMigrations()).length }));
});
`;

async function bundle(t: ExecutionContext, format: Format, contents = APP): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-bundle-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const outfile = path.join(folder, format === 'esm' ? 'app.mjs' : 'app.cjs');
  const { warnings } = await build({
    stdin: { contents, resolveDir: process.cwd(), sourcefile: 'app.js' },
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format,
    logLevel: 'silent',
    // Where the migrations' folder is, a CommonJS file does not know. Of a package in node_modules esbuild does not say so.
    logOverride: contents === MIGRATING ? { 'empty-import-meta': 'silent' } : {},
    // What pg, a CommonJS library, needs in any ES module that esbuild makes.
    ...(format === 'esm' && {
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
    }),
  });
  t.deepEqual(
    warnings.map(({ text, location }) => `${location?.file}: ${text}`),
    [],
  );
  t.deepEqual(await readdir(folder), [path.basename(outfile)]);
  return outfile;
}

for (const format of ['esm', 'cjs'] as const) {
  test(`an app that esbuild has bundled into one file (${format}) streams events, and has the scripts along`, async (t) => {
    const database = await createDatabase(t);
    const file = await bundle(t, format);
    const child = spawn(process.execPath, [file], {
      cwd: path.dirname(file),
      env: { ...process.env, DATABASE_URL: database.url, NODE_PATH: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`The app ended with ${code} before it listened.`)));
    });
    const at = (name: string) => new URL(`/realtime/${name}`, line).href;
    const stream = await openStream(t, at('sse/'));
    t.is(stream.status, 200);
    await database.query(`select djr.publish('ada', 'paid', '{"id": 7}')`);
    t.like((await stream.event('paid')).data, { type: 'paid', id: 7 });

    const pages = {
      'djr.js': /djr/,
      'djr.mjs': /export/,
      'djr-topics.mjs': /export/,
      'admin/assets/admin.css': /\{/,
      'admin/assets/htmx.min.js': /htmx/,
    };
    for (const [name, content] of Object.entries(pages)) {
      const response = await fetch(at(name));
      t.is(response.status, 200, name);
      t.regex(await response.text(), content, name);
    }
    t.regex(await (await fetch(at('metrics'))).text(), /djr_build_info\{version="\d+\.\d+\.\d+"\} 1/);
    t.is((await fetch(at('admin/'))).status, 200);
  });
}

for (const format of ['esm', 'cjs'] as const) {
  test(`an app that esbuild has bundled into one file (${format}) migrates its database`, async (t) => {
    const database = await createDatabase(t, { template: null });
    const file = await bundle(t, format, MIGRATING);
    const env = { ...process.env, DATABASE_URL: database.url, NODE_PATH: '' };
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: path.dirname(file), env });
    const { applied, printed } = JSON.parse(stdout) as { applied: string[]; printed: number };
    t.deepEqual(applied, await migrationsOf(database));

    t.is(printed, (await printMigrations()).length);
    t.deepEqual(await readdir(path.dirname(file)), [path.basename(file)]);
  });
}

const migrationsOf = async (database: TestDatabase) =>
  (await database.query<{ name: string }>('select name from djr.migrations order by id')).map(({ name }) => name);
