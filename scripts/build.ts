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
import { type BuildOptions, build } from 'esbuild';
import { bundleBench } from '../bench/build.js';
import { bake } from './bake.js';

/** What the browser client may weigh, gzipped: a page should not have to think about it. */
const MAX_CLIENT_BYTES = 8704;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** Type errors are shown and fail the build, but do not keep the rest from being built. */
function compile(): Promise<boolean> {
  const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace('package.json', 'bin/tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0)));
}

async function bundle(): Promise<void> {
  const common: BuildOptions = { bundle: true, minify: true, sourcemap: true, target: 'es2020', logLevel: 'warning' };
  await Promise.all([
    build({ ...common, entryPoints: ['src/browser/script.ts'], format: 'iife', outfile: 'dist/browser/djr.js' }),
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
    build({ ...common, entryPoints: ['src/browser/client.ts'], format: 'esm', outfile: 'dist/browser/djr.mjs' }),
  ]);
}

async function copyAssets(): Promise<void> {
  await mkdir('dist/assets', { recursive: true });
  await copyFile(fileURLToPath(import.meta.resolve('htmx.org/dist/htmx.min.js')), 'dist/assets/htmx.min.js');
}

/** tsc leaves the output of a source file that is gone, and `npm pack` would ship it. */
async function removeStale(): Promise<void> {
  const bundles = /^dist\/browser\/djr\.m?js(\.map)?$/;
  for (const entry of await readdir('dist', { recursive: true })) {
    const file = `dist/${entry}`;
    if (!/\.(js|mjs|d\.ts|map)$/.test(file)) continue;
    const source = file.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (!file.startsWith('dist/assets/') && !bundles.test(file) && !existsSync(source)) await rm(file, { force: true });
  }
}

async function checkSize(file: string): Promise<boolean> {
  const bytes = gzipSync(await readFile(file), { level: 9 }).length;
  if (bytes <= MAX_CLIENT_BYTES) return true;
  process.stderr.write(`${file} is ${bytes} bytes gzipped: the browser client may have ${MAX_CLIENT_BYTES}.\n`);
  return false;
}

const [compiled] = await Promise.all([compile(), bundle(), copyAssets()]);
await removeStale();
await bake();
await bundleBench();
if (existsSync('dist/cli/main.js')) await chmod('dist/cli/main.js', 0o755);
const sizes = await Promise.all([checkSize('dist/browser/djr.js'), checkSize('dist/browser/djr.mjs')]);
process.exitCode = compiled && sizes.every(Boolean) ? 0 : 1;
