import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test, { type TestFn } from 'ava';

/** Where a program of Debian's is; some are where only root's PATH leads. Undefined: this machine has none. */
export function findProgram(name: string): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'command -v "$0"', name], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` },
  });
  const found = stdout.trim();
  return found !== '' && existsSync(found) ? found : undefined;
}

/** A machine of a developer may lack the program: its tests are shown as skipped. CI must have it, and fails without. */
export function testWith(available: boolean): TestFn | TestFn['skip'] {
  return available || process.env.CI ? test.serial : test.skip;
}
