import { cp } from 'node:fs/promises';
import { run, type Workshop } from './workshop.js';

/** How each runner runs its file of examples/testing/, and what it says of one test that has passed. */
const COMMANDS: Record<string, { command: string[]; passed: RegExp; env?: Record<string, string> }> = {
  ava: { command: ['ava', 'ava.test.js'], passed: /1 test passed/ },
  'node:test': { command: ['node', '--test', 'node.test.js'], passed: /pass 1\b/ },
  vitest: { command: ['vitest', 'run', 'vitest.test.js'], passed: /Tests\s+1 passed/ },
  jest: {
    command: ['jest', 'jest.test.js'],
    passed: /Tests:\s+1 passed/,
    env: { NODE_OPTIONS: '--experimental-vm-modules' },
  },
};

/** Runs the example of `djr/testing` with each runner, in an app that has installed all of them. @yields what has been found, a line each */
export async function* checkRunners(workshop: Workshop, server: string): AsyncGenerator<string> {
  const packages = { ava: '*', vitest: '*', jest: '*', '@jest/globals': '*', pg: '*' };
  const folder = await workshop.make('testing', packages);
  await cp('examples/testing', folder, { recursive: true });
  const base = { ...(await workshop.environment(folder, '22.19')), DJR_TEST_DATABASE_URL: server };
  for (const [name, { command, env, passed }] of Object.entries(COMMANDS)) {
    const said = run(folder, [...command], { ...base, ...env });
    if (!passed.test(said)) throw new Error(`${name} says:\n${said}`);
    yield name;
  }
}
