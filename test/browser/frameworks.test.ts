import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { build, type Plugin } from 'esbuild';
import type { Page } from 'playwright-core';
import { openStream } from '../helpers/stream.js';
import { until, useChromium } from './helpers/chromium.js';
import { begin, logIn } from './helpers/topics.js';

const newContext = useChromium();

interface App {
  log: string[];
  mount(props: { since?: string; topic: string | null }): void;
  unmount(): void;
}

/** A folder with the frameworks of other versions, which `npm run test:frameworks` names; else they are those that djr has installed. */
const modules = process.env.DJR_TEST_FRAMEWORKS ?? fileURLToPath(new URL('../../', import.meta.url));

const { resolve: resolveModule } = createRequire(path.join(modules, 'package.json'));

/** The compiler of that Svelte; Svelte 4 has it as CommonJS. */
async function loadCompiler(): Promise<typeof import('svelte/compiler')> {
  const compiler = await import(pathToFileURL(resolveModule('svelte/compiler')).href);
  return compiler.compile ? compiler : compiler.default;
}

const svelte: Plugin = {
  name: 'svelte',
  async setup(bundle) {
    const { compile } = await loadCompiler();
    bundle.onLoad({ filter: /\.svelte$/ }, async ({ path: filename }) => ({
      contents: compile(await readFile(filename, 'utf8'), { filename, dev: false }).js.code,
      resolveDir: path.dirname(filename),
    }));
  },
};

const versions: Plugin = {
  name: 'versions',
  setup(bundle) {
    bundle.onResolve(
      { filter: /^(react|react-dom|scheduler|svelte|vue)(\/|$)/ },
      ({ kind, path: name, pluginData, resolveDir }) => {
        if (pluginData === versions) return undefined;
        // What a framework imports itself is its own.
        const from = resolveDir.startsWith(modules) && resolveDir.includes('node_modules') ? resolveDir : modules;
        return bundle.resolve(name, { kind, resolveDir: from, pluginData: versions });
      },
    );
  },
};

/** The app of a framework, bundled as its users do it. */
async function bundle(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`frameworks/${file}`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    conditions: ['svelte', 'browser'],
    define: {
      'process.env.NODE_ENV': '"development"',
      __VUE_OPTIONS_API__: 'true',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    plugins: [versions, svelte],
  });
  return outputFiles[0]!.text;
}

const textOf = (page: Page) => page.evaluate(() => document.body.textContent ?? '');
const logOf = (page: Page) => page.evaluate(() => (window as unknown as App).log);
const shows = (page: Page, text: string) =>
  until(`the page shows ${text}`, async () => (await textOf(page)).includes(text));

for (const [name, file] of [
  ['React', 'react.jsx'],
  ['Vue', 'vue.js'],
  ['Svelte', 'svelte.js'],
] as const) {
  test(`${name}: components hear events and rooms once while they are mounted, from where the page was read, and leave nothing`, async (t) => {
    const { db, app } = await begin(t, { authorizeTopic: () => true, presence: true, retry: 0 });
    const context = await newContext(t);
    await logIn(context, app, 'ada');
    const page = await context.newPage();
    const code = await bundle(file);
    await page.route('**/page', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>app</title><body></body>' }),
    );
    await page.goto(`${app.origin}/page`);
    await page.addScriptTag({ content: code });
    t.is(app.streams, 0, 'a page that mounts nothing is not connected');
    const mount = (props: Parameters<App['mount']>[0]) =>
      page.evaluate((given) => (window as unknown as App).mount(given), props);
    const unmount = () => page.evaluate(() => (window as unknown as App).unmount());

    const [{ since }] = (await db.query<{ since: string }>('select djr.position() as since')) as [{ since: string }];
    await db.query(`select djr.publish_global('chat', '{"n": 1}')`);
    await mount({ since, topic: 'room:7' });
    await shows(page, 'stream open -');
    await shows(page, 'room:7 joined 1');
    await db.query(`select djr.publish_global('chat', '{"n": 2}'), djr.publish_topic('room:7', 'message', '{"n": 3}')`);
    await until('all have come', async () => (await logOf(page)).length >= 3);
    t.deepEqual((await logOf(page)).toSorted(), ['chat 1 after 0', 'chat 2 after 1', 'room 3']);
    await shows(page, 'count 2');

    await unmount();
    await until('the page is not connected', () => app.open === 0);
    // A page begins where the instance has read to, which may be before an event that was committed just now.
    const witness = await openStream(t, `${app.origin}/realtime/sse/`);
    await db.query(`select djr.publish_global('chat', '{"n": 4}')`);
    await witness.event('chat');
    witness.close();
    await until('the witness has gone', () => app.open === 0);
    await mount({ topic: 'room:8' });
    await shows(page, 'room:8 joined 1');
    await db.query(
      `select djr.publish_topic('room:7', 'message', '{"n": 5}'), djr.publish_topic('room:8', 'message', '{"n": 6}')`,
    );
    await until('the new room is heard', async () => (await logOf(page)).includes('room 6'));
    t.deepEqual((await logOf(page)).slice(3), ['room 6']);
    t.is(app.open, 1);
    await unmount();
    await until('the page is not connected', () => app.open === 0);
  });

  test(`${name}: a reset is an event, and the connection's view has its reason`, async (t) => {
    const { app } = await begin(t, { authorizeTopic: () => true });
    const page = await (await newContext(t)).newPage();
    await page.route('**/page', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><body></body>' }),
    );
    await page.goto(`${app.origin}/page`);
    await page.addScriptTag({ content: await bundle(file) });
    await page.evaluate(() => (window as unknown as App).mount({ since: 'never', topic: 'room:7' }));
    await until('the reset has come', async () => (await logOf(page)).length > 0);
    const [said] = await logOf(page);
    const reason = said!.replace('reset ', '');
    t.regex(said!, /^reset ./);
    await shows(page, `stream open ${reason}`);
    await shows(page, 'room:7 joined');
  });
}

test('A component moves from room to room as its topic changes, and hears none without one', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  for (const file of ['react.jsx', 'vue.js']) {
    const page = await (await newContext(t)).newPage();
    await page.route('**/page', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><body></body>' }),
    );
    await page.goto(`${app.origin}/page`);
    await page.addScriptTag({ content: await bundle(file) });
    const mount = (topic: string | null) =>
      page.evaluate((name) => (window as unknown as App).mount({ topic: name }), topic);
    await mount(null);
    await shows(page, 'null left');
    await mount('room:1');
    await shows(page, 'room:1 joined');
    await mount('room:2');
    await shows(page, 'room:2 joined');
    await db.query(
      `select djr.publish_topic('room:1', 'message', '{"n": 1}'), djr.publish_topic('room:2', 'message', '{"n": 2}')`,
    );
    await until('the room is heard', async () => (await logOf(page)).length > 0);
    t.deepEqual(await logOf(page), ['room 2']);
    await page.close();
    await until('the page is gone', () => app.open === 0);
  }
});

test('On a server the hooks render what is before a connection, and open none', async (t) => {
  const render = `
    import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    import { createSSRApp, h } from 'vue';
    import { renderToString as renderVue } from 'vue/server-renderer';
    import { render } from 'svelte/server';
    import { get } from 'svelte/store';
    import * as react from 'djr/react';
    import * as svelte from 'djr/svelte';
    import * as vue from 'djr/vue';
    const views = [];
    const use = ({ useConnection, useEvent, useRoom }) => {
      useEvent('chat', () => {});
      return [useConnection(), useRoom('room:7')];
    };
    renderToString(createElement(() => { views.push(use(react).map(({ state }) => state)); return null; }));
    await renderVue(createSSRApp({ setup() { views.push(use(vue).map(({ value }) => value.state)); return () => h('p'); } }));
    await render(() => void views.push(use(svelte).map((store) => get(store).state)), { props: {} }).body;
    console.log(JSON.stringify(views), typeof globalThis.window);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', render], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    timeout: 60_000,
  });
  t.is(stdout.trim(), '[["connecting","joining"],["connecting","joining"],["connecting","joining"]] undefined');
});
