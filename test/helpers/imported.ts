import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Tells on stderr of every module that is resolved, in whatever way it is loaded. */
const HOOK = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(2, 'loads ' + url + '\\n');
    return next(url, context);
  }`;

const REGISTER = `
  import { register } from 'node:module';
  register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(HOOK))});`;

/** What a process has loaded that ran this module: files of dist/, and names of packages. */
export async function importedBy(code: string): Promise<{ files: string[]; packages: Set<string> }> {
  const after = `
    import { createRequire } from 'node:module';
    process.on('exit', () => {
      const { cache } = createRequire(${JSON.stringify(import.meta.url)});
      for (const file of Object.keys(cache)) console.error('loads file://' + file);
    });`;
  const { stderr } = await run(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(REGISTER)}`,
      '--input-type=module',
      '-e',
      `${after}\n${code}`,
    ],
    { cwd: new URL('../..', import.meta.url), maxBuffer: 64 * 1024 * 1024 },
  );
  const urls = [...stderr.matchAll(/^loads file:\/\/(.*)$/gm)].map((match) => decodeURIComponent(match[1]!));
  const packages = new Set<string>();
  const files: string[] = [];
  for (const url of urls) {
    const name = url.match(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1];
    if (name !== undefined) packages.add(name);
    const file = url.match(/\/dist\/(.*)$/)?.[1];
    if (name === undefined && file !== undefined) files.push(file);
  }
  return { files, packages };
}
