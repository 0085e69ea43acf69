import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Database } from './database.js';
import { run, type Workshop } from './workshop.js';

/**
 * Publishes in transactions of Prisma, with the driver of `@prisma/adapter-pg`. Neither it nor the generated client needs an engine, but the
 * command fetches one before it does anything, unless it is told where one is.
 *
 * @returns what has been found
 */
export async function checkPrisma(workshop: Workshop, server: string): Promise<string> {
  const versions = { prisma: '^7.0.0', '@prisma/client': '^7.0.0', '@prisma/adapter-pg': '^7.0.0' };
  const folder = await workshop.make('prisma', versions);
  await cp('scripts/frameworks/prisma', folder, { recursive: true });
  const database = await Database.create(server, 'prisma');
  try {
    const base = await workshop.environment(folder);
    const env = { ...base, DATABASE_URL: database.url, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
    run(folder, ['prisma', 'generate'], env);
    run(folder, ['node', 'transaction.mjs'], env);
  } finally {
    await database.close();
  }
  const { version } = createRequire(path.join(folder, 'package.json'))('@prisma/client/package.json');
  return `${version}: a commit is seen, a rollback is not`;
}
