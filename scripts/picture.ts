/**
 * Makes README's moving picture from the real thing: the playground, run in Chromium.
 *
 *   npm run docs:picture       writes docs/playground.gif
 */
import { writeFile } from 'node:fs/promises';
import gifenc from 'gifenc';
import type { FrameLocator, Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { startPlayground } from '../examples/playground/server.js';
import { migrate } from '../src/install/migrate.js';
import { startEmbedded } from '../src/testing/embedded.js';
import { launchChromium } from '../test/browser/helpers/launch.js';

const SIZE = { width: 1120, height: 560 };
const file = new URL('../docs/playground.gif', import.meta.url);

/** What is typed, one after the other, and in whose browser its event is waited for. */
const SCENES: readonly [sql: string, who: 'ann' | 'bob', heard: string][] = [
  [`select djr.publish('ann', 'order_paid', '{":id": 7}')`, 'ann', 'djr:order_paid'],
  [`select djr.publish_topic('room:7', 'message', '{"text": "hi"}')`, 'ann', 'djr:message'],
  [`update playground.orders set status = 'shipped'`, 'bob', 'djr:order_changed'],
  [`select djr.publish_public('maintenance', '{"minutes": 5}')`, 'bob', 'djr:maintenance'],
];

/** A picture that moves: of each frame after the first, only what is another pixel than before. */
class Film {
  readonly #gif = gifenc.GIFEncoder();
  readonly #page: Page;
  #before: Uint8Array | undefined;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Adds what the page shows now, for so many milliseconds. */
  async shoot(delay: number): Promise<void> {
    const { data, width, height } = PNG.sync.read(await this.#page.screenshot());
    const palette = gifenc.quantize(data, 63);
    const pixels = gifenc.applyPalette(data, palette);
    const same = palette.push([0, 0, 0]) - 1;
    const before = this.#before;
    if (before) {
      for (let pixel = 0; pixel < pixels.length; pixel += 1) {
        const at = pixel * 4;
        if (data[at] === before[at] && data[at + 1] === before[at + 1] && data[at + 2] === before[at + 2])
          pixels[pixel] = same;
      }
    }
    this.#before = data;
    this.#gif.writeFrame(pixels, width, height, {
      palette,
      delay,
      transparent: before !== undefined,
      transparentIndex: same,
      dispose: 1,
    });
  }

  end(): Uint8Array {
    this.#gif.finish();
    return this.#gif.bytes();
  }
}

async function play(page: Page, film: Film): Promise<void> {
  const panes: Record<string, FrameLocator> = {};
  for (const name of ['ann', 'bob']) panes[name] = page.frameLocator(`iframe[src$="as=${name}"]`);
  await panes.ann!.getByText('is in room:7').waitFor();
  await panes.bob!.getByText('may not hear room:7').waitFor();
  const sql = page.locator('#sql');
  for (const [statement, who, heard] of SCENES) {
    for (let length = 0; length < statement.length; length += 6) {
      await sql.fill(statement.slice(0, length));
      await film.shoot(60);
    }
    await sql.fill(statement);
    await film.shoot(500);
    await page.getByRole('button', { name: 'Run' }).click();
    await panes[who]!.getByText(heard).first().waitFor();
    await film.shoot(1600);
  }
}

const database = await startEmbedded({ settings: { fsync: 'off' } });
const browser = await launchChromium();
try {
  await migrate(database.url);
  const playground = await startPlayground({ databaseUrl: database.url, port: 0 });
  try {
    const page = await (await browser.newContext({ viewport: SIZE, colorScheme: 'light', bypassCSP: true })).newPage();
    await page.goto(playground.url);
    // The choice of statements and the frames are for who is there: the picture is of SQL and two browsers.
    await page.addStyleTag({
      content: `.wire, #statement, #about, label[for="statement"], iframe:nth-of-type(3) { display: none }
        .playground main { grid-template-columns: 1fr 1fr } .panes { grid-template-columns: 1fr 1fr } iframe { height: 22rem }
        textarea { height: 5.5rem } * { caret-color: transparent }`,
    });
    const film = new Film(page);
    await play(page, film);
    const bytes = film.end();
    await writeFile(file, bytes);
    process.stdout.write(`docs/playground.gif: ${Math.round(bytes.length / 1000)} kB\n`);
  } finally {
    await playground.close();
  }
} finally {
  await browser.close();
  await database.dispose();
}
