import { appendFile, cp, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { freePort } from '../../src/testing/embedded.js';
import { App, until } from './app.js';
import { Database } from './database.js';
import { type Example, portOf } from './examples.js';
import { PlainStream } from './plain-stream.js';
import { Visitor } from './visitor.js';
import { run, type Workshop } from './workshop.js';

/** Milliseconds in which an app must have ended behind SIGTERM. */
const ENDED = 1000;

/** Edits of the module with the runtime in it. */
const EDITS = 4;

/** Milliseconds that a page which is loaded anew is waited for. */
const PATIENCE = 10_000;

/** Milliseconds in which the connections of before must be gone: the example's own pool closes its idle ones after ten seconds. */
const SETTLED = 30_000;

/** What examples are checked with. */
export interface Bench {
  browser: Browser;
  workshop: Workshop;
  /** The PostgreSQL in which each has a database. */
  server: string;
}

/** Checks one example in development and as it is deployed. @yields what has been found, a line each */
export async function* check(bench: Bench, name: string, example: Example): AsyncGenerator<string> {
  const { workshop, server } = bench;
  const folder = await workshop.install(name, example);
  const database = await Database.create(server, name);
  try {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const env = {
      ...(await workshop.environment(folder, example.node)),
      DATABASE_URL: database.url,
      SESSION_SECRET: 'a secret of the tests, with its 32 letters',
      PORT: `${port}`,
      HOST: '127.0.0.1',
      ...example.env?.(origin),
    };
    if (example.develop) {
      const { start, module } = example.develop;
      const app = new App([...start, ...portOf(start, port)], folder, { ...env, NODE_ENV: 'development' }, port);
      yield await observed(app, () => develop(bench, app, database, path.join(folder, module)));
    }
    const production = { ...env, NODE_ENV: 'production' };
    if (example.build) run(folder, ['npx', ...example.build], production);
    const where = example.deploy ? await deploy(folder, example.deploy) : folder;
    const app = new App(example.start, where, production, port);
    yield await observed(app, () => produce(bench, app, database, example));
  } finally {
    await database.close();
  }
}

/** Copies what is deployed into an empty folder, and takes the one where it was built away. */
async function deploy(folder: string, parts: Record<string, string>): Promise<string> {
  const target = `${folder}-deployed`;
  await mkdir(target);
  for (const [source, to] of Object.entries(parts)) {
    await cp(path.join(folder, source), path.join(target, to), { recursive: true, verbatimSymlinks: true });
  }
  const away = `${folder}-built`;
  await rename(folder, away);
  await rm(away, { recursive: true });
  return target;
}

/** Runs a check on an app, which is ended in any case; where it fails, with what the app wrote. */
async function observed(app: App, look: () => Promise<string>): Promise<string> {
  try {
    return await look();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${app.log}`);
  } finally {
    app.kill();
  }
}

/** Logs in, hears what is for her and for the room and nothing else, and SIGTERM ends it all. */
async function produce({ browser }: Bench, app: App, database: Database, example: Example): Promise<string> {
  await app.ready();
  const ann = await Visitor.enter(browser, app, 'ann');
  // It is open at SIGTERM in any case, and no browser has opened a second connection beside it.
  const plain = await PlainStream.open(app, await ann.cookie());
  try {
    await ann.connected();
    await database.publish('1');
    expect(await ann.lines(2), ['for all 1', 'for ann 1']);
    await plain.hears('for ann 1');
    if (example.awaitsQuietConnections) await ann.leave();
    const served = ann.complaints.length;
    const took = await app.terminate(ENDED);
    await plain.ended();
    await until('no connection is left', async () => (await database.connections('all')) === 0, ENDED);
    const complaints = ann.complaints.filter((complaint, at) => !(at < served ? HARMLESS : AWAY).test(complaint));
    if (complaints.length > 0) throw new Error(`the page complains: ${complaints.join('\n')}`);
    return `in production: ended ${took} ms after SIGTERM`;
  } finally {
    plain.close();
    await ann.leave();
  }
}

/** That an example has no icon. */
const HARMLESS = /favicon\.ico/;

/** That the server is away at the end: Nuxt's page asks for a file when it has nothing else to do. */
const AWAY = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|Failed to fetch|favicon\.ico/;

/** After edits of the module with the runtime in it there is one instance with its connections, and the page hears it. */
async function develop({ browser }: Bench, app: App, database: Database, module: string): Promise<string> {
  await app.ready();
  const ann = await Visitor.enter(browser, app, 'ann');
  try {
    await ann.connected();
    await database.publish('0');
    expect(await ann.lines(2), ['for all 0', 'for ann 0']);
    await until('the instance says that it is there', async () => (await database.instances()).length === 1);
    const ofOne = await database.connections('djr');
    const all = await database.connections('all');
    const known = await database.instances();
    for (let edit = 1; edit <= EDITS; edit += 1) {
      await appendFile(module, `\n// Edit ${edit}\n`);
      await until(`edit ${edit} has brought another instance`, async () => {
        // The module is loaded anew when something asks for it. Nuxt answers nothing to a request that comes while it changes its worker.
        await ann.page.reload({ timeout: PATIENCE }).catch(() => {});
        const others = (await database.instances()).filter((instance) => !known.includes(instance));
        known.push(...others);
        return others.length === 1;
      });
    }
    // The last of these requests, too, may have come while Nuxt changed its worker.
    await until('the page is there again', () =>
      ann.page.reload({ timeout: PATIENCE }).then(
        () => true,
        () => false,
      ),
    );
    await ann.connected();
    await database.publish('4');
    expect(await ann.lines(2), ['for all 4', 'for ann 4']);
    await until('its connections are those of one', async () => (await database.connections('djr')) <= ofOne, SETTLED);
    await until('and so are those of the app', async () => (await database.connections('all')) <= all, SETTLED);
    const took = await app.terminate(10 * ENDED);
    return `in development: ${EDITS} edits, one instance with ${ofOne} connections; ended ${took} ms after SIGTERM`;
  } finally {
    await ann.leave();
  }
}

function expect(lines: string[], expected: string[]): void {
  if (lines.toSorted().join('\n') !== expected.join('\n')) throw new Error(`the page shows ${lines.join(', ')}`);
}
