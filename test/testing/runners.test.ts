import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { serverUrl } from '../helpers/database.js';

const exec = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The example in a folder of its own, as an app has it. */
async function copyExample(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-runner-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(path.join(root, 'examples/testing'), folder, { recursive: true });
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module", "private": true }');
  const modules = path.join(folder, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(path.join(root, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'djr')
      await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
  }
  await symlink(root, path.join(modules, 'djr'));
  return folder;
}

const runners: Record<string, { args: string[]; passed: RegExp }> = {
  ava: { args: [path.join(root, 'node_modules/ava/entrypoints/cli.mjs'), 'ava.test.js'], passed: /1 test passed/ },
  'node:test': { args: ['--test', 'node.test.js'], passed: /pass 1\b/ },
};

for (const [name, { args, passed }] of Object.entries(runners)) {
  test(`with ${name} a test has a database of its own, and sees what its transaction has published`, async (t) => {
    const cwd = await copyExample(t);
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
    const { stdout } = await exec(process.execPath, args, { cwd, env: { ...env, DJR_TEST_DATABASE_URL: serverUrl() } });
    t.regex(stdout, passed);
  });
}

test('docs/testing.md shows the example as it is', async (t) => {
  const page = await readFile(path.join(root, 'docs/testing.md'), 'utf8');
  for (const name of ['ava', 'node', 'vitest', 'jest']) {
    const code = await readFile(path.join(root, `examples/testing/${name}.test.js`), 'utf8');
    t.true(page.includes(code.replace('// @ts-check\n', '')), name);
  }
});
