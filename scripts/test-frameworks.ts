/**
 * Installs the examples in frameworks, each in a folder of its own with the packed file, and does with them what a developer and a
 * visitor do: edits of the running development server, a build, a login in Chromium, events, and SIGTERM. Then what djr brings for
 * frameworks in the page, for Prisma and for runners of tests, in the versions that djr itself does not install. Not a part of `npm test`: it fetches a gigabyte.
 *
 *   npm run test:frameworks [NAME…]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbedded } from '../src/testing/embedded.js';
import { launchChromium } from '../test/browser/helpers/launch.js';
import { check } from './frameworks/check.js';
import { EXAMPLES } from './frameworks/examples.js';
import { checkOlder, OLDER_VERSIONS } from './frameworks/in-place.js';
import { checkInPage, PAGE_FRAMEWORKS } from './frameworks/page.js';
import { checkPrisma } from './frameworks/prisma.js';
import { checkRunners } from './frameworks/runners.js';
import { Workshop } from './frameworks/workshop.js';

const names = [...Object.keys(EXAMPLES), ...OLDER_VERSIONS, ...PAGE_FRAMEWORKS, 'prisma', 'testing'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`There is no ${unknown.join(', ')}: name some of ${names.join(', ')}.\n`);
  process.exit(1);
}

const root = await mkdtemp(path.join(tmpdir(), 'djr-frameworks-'));
const server = await startEmbedded();
const browser = await launchChromium();

/** @yields what has been found, a line each */
async function* look(workshop: Workshop, name: string): AsyncGenerator<string> {
  if (name === 'testing') yield* checkRunners(workshop, server.url);
  else if (name === 'prisma') yield await checkPrisma(workshop, server.url);
  else if (OLDER_VERSIONS.includes(name)) yield await checkOlder(workshop, name);
  else if (PAGE_FRAMEWORKS.includes(name)) yield await checkInPage(workshop, name);
  else yield* check({ browser, workshop, server: server.url }, name, EXAMPLES[name]!);
}

try {
  const workshop = new Workshop(root);
  for (const name of wanted.length > 0 ? wanted : names) {
    try {
      for await (const found of look(workshop, name)) process.stdout.write(`ok   ${name} ${found}\n`);
    } catch (error) {
      process.stdout.write(`fail ${name}: ${(error as Error).message}\n`);
      process.exitCode = 1;
    }
    await rm(path.join(root, name), { recursive: true, force: true });
  }
} finally {
  await browser.close();
  await server.dispose();
  await rm(root, { recursive: true, force: true });
}
