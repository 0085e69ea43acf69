import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { build, type Format } from 'esbuild';
import { createDatabase } from './helpers/database.js';
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

async function bundle(t: ExecutionContext, format: Format): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-bundle-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const outfile = path.join(folder, format === 'esm' ? 'app.mjs' : 'app.cjs');
  const { warnings } = await build({
    stdin: { contents: APP, resolveDir: process.cwd(), sourcefile: 'app.js' },
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format,
    logLevel: 'silent',
    // What pg, a CommonJS library, needs in any ES module that esbuild makes.
    ...(format === 'esm' && {
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
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
