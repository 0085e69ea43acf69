import { cp, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { run, type Workshop } from './workshop.js';

/** Examples that run in the clone are run with these versions of their frameworks, too. */
const VERSIONS: Record<string, { example: string; packages: Record<string, string> }> = {
  'express-4': { example: 'express', packages: { express: '^4.0.0', 'express-session': '*', passport: '*' } },
  'fastify-4': {
    example: 'fastify',
    packages: { fastify: '^4.0.0', '@fastify/cookie': '^9.0.0', '@fastify/session': '^10.0.0' },
  },
  'koa-2': { example: 'koa', packages: { koa: '^2.0.0', 'koa-session': '*' } },
  'nest-11': {
    example: 'nest',
    packages: {
      '@nestjs/core': '^11.0.0',
      '@nestjs/common': '^11.0.0',
      '@nestjs/platform-express': '^11.0.0',
      'express-session': '*',
      'reflect-metadata': '*',
      rxjs: '*',
      tsx: '*',
    },
  },
};

export const OLDER_VERSIONS = Object.keys(VERSIONS);

/** Runs the test of an example with another version of its framework. @returns what has been found */
export async function checkOlder(workshop: Workshop, name: string): Promise<string> {
  const { example, packages } = VERSIONS[name]!;
  const folder = await workshop.make(name, { pg: '*', ...packages });
  for (const part of ['tsconfig.json', ...['shop', 'chatroom', example].map((one) => `examples/${one}`)]) {
    await cp(part, path.join(folder, part), { recursive: true });
  }
  // The shop migrates its database with the clone's own.
  await symlink(path.resolve('dist'), path.join(folder, 'dist'));
  const { version } = createRequire(path.join(folder, 'package.json'))(`${Object.keys(packages)[0]}/package.json`);
  const test = ['--import=tsx', 'test/run.ts', 'test/examples/frameworks.test.ts', `--match=${example}:*`];
  const said = run(process.cwd(), [process.execPath, ...test], { ...process.env, DJR_TEST_EXAMPLES: folder });
  return `${version}: ${/\d+ tests? passed/.exec(said)?.[0]}`;
}
