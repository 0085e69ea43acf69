import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const compiled = new Map<string, string>();

/** Compiles a module of the tests, beside which the library is the built one. @returns where it is */
function compile(source: string): string {
  const outfile = path.join(tmpdir(), `djr-${path.basename(source, '.ts')}-${process.pid}.mjs`);
  buildSync({
    stdin: {
      contents: readFileSync(source, 'utf8').replaceAll('../../src/', `${root}dist/`),
      resolveDir: path.dirname(source),
      loader: 'ts',
    },
    external: [`${root}dist/*`],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  return outfile;
}

/** Runs a module of the tests in a process of its own. Compiled it begins in a fraction of the processor time that it takes with tsx. */
export function forkCompiled(module: URL, args: readonly string[], options: ForkOptions = {}): ChildProcess {
  const source = fileURLToPath(module);
  const file = compiled.get(source) ?? compile(source);
  compiled.set(source, file);
  return fork(file, args, { ...options, execArgv: [] });
}
