/**
 * Builds dist/: the library by tsc, with declarations, and what a page loads by esbuild.
 *
 *   node --import=tsx scripts/build.ts
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { bundleBench } from '../bench/build.js';
import { bake } from './bake.js';

/** What a page loads may weigh, gzipped: nobody should have to think about it. */
const MAX_BYTES: Readonly<Record<string, number>> = { 'djr.js': 7680, 'djr.mjs': 7424, 'djr-topics.mjs': 3456 };

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** Type errors are shown and fail the build, but do not keep the rest from being built. */
function compile(): Promise<boolean> {
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace('package.json', 'bin/tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)));
}

/** The part of the client that knows topics: a file of its own, which a page loads when it needs it. */
const TOPICS = 'src/browser/topics/topics.ts';

/** An app has the client once, whether it imports it or not. */
const framework: Plugin = {
  name: 'the client beside a framework',
  setup(bundle) {
    bundle.onResolve({ filter: /^\.\.\/client\.js$/ }, () => ({ path: 'djr/browser', external: true }));
  },
};

const apart: Plugin = {
  name: 'parts of the client',
  setup(bundle) {
    bundle.onResolve({ filter: /\/topics\.js$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './djr-topics.mjs', external: true } : undefined,
    );
  },
};

async function bundle(): Promise<void> {
  const common: BuildOptions = { bundle: true, minify: true, sourcemap: true, target: 'es2020', logLevel: 'warning' };
  const client: BuildOptions = { ...common, plugins: [apart] };
  await Promise.all([
    build({ ...client, entryPoints: ['src/browser/script.ts'], format: 'iife', outfile: 'dist/browser/djr.js' }),
    build({
      ...common,
      entryPoints: ['src/admin/browser/admin.ts'],
      format: 'iife',
      outfile: 'dist/assets/admin.js',
      sourcemap: false,
    }),
    build({
      ...common,
      entryPoints: ['src/admin/browser/admin.css'],
      outfile: 'dist/assets/admin.css',
      sourcemap: false,
    }),
    build({ ...client, entryPoints: ['src/browser/module.ts'], format: 'esm', outfile: 'dist/browser/djr.mjs' }),
    ...['react', 'vue', 'svelte'].map((name) =>
      build({
        ...common,
        entryPoints: [`src/browser/frameworks/${name}.ts`],
        format: 'esm',
        external: [name, `${name}/*`],
        plugins: [framework],
        outfile: `dist/browser/${name}.mjs`,
      }),
    ),
    build({ ...common, entryPoints: [TOPICS], format: 'esm', outfile: 'dist/browser/djr-topics.mjs' }),
  ]);
}

async function copyAssets(): Promise<void> {
  await mkdir('dist/assets', { recursive: true });
  await copyFile(fileURLToPath(import.meta.resolve('htmx.org/dist/htmx.min.js')), 'dist/assets/htmx.min.js');
}

/** tsc leaves the output of a source file that is gone, and `npm pack` would ship it. */
async function removeStale(): Promise<void> {
  const bundles = /^dist\/browser\/(djr(-topics)?|react|vue|svelte)\.m?js(\.map)?$/;
  for (const entry of await readdir('dist', { recursive: true })) {
    const file = `dist/${entry}`;
    if (!/\.(js|mjs|d\.ts|map)$/.test(file)) continue;
    const source = file.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (!file.startsWith('dist/assets/') && !bundles.test(file) && !existsSync(source)) await rm(file, { force: true });
  }
}

async function checkSize([name, most]: [name: string, most: number]): Promise<boolean> {
  const bytes = gzipSync(await readFile(`dist/browser/${name}`), { level: 9 }).length;
  if (bytes <= most) return true;
  process.stderr.write(`dist/browser/${name} must weigh at most ${most} bytes gzipped (it is ${bytes}).\n`);
  return false;
}

const [compiled] = await Promise.all([compile(), bundle(), copyAssets()]);
await removeStale();
await bake();
await bundleBench();
if (existsSync('dist/cli/main.js')) await chmod('dist/cli/main.js', 0o755);
const sizes = await Promise.all(Object.entries(MAX_BYTES).map(checkSize));
process.exitCode = compiled && sizes.every(Boolean) ? 0 : 1;
