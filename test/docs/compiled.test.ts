import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { compile } from 'svelte/compiler';
import { allBlocks, type Block } from '../helpers/document.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const blocks = await allBlocks();

/**
 * What a snippet may take as there: what djr gives to a page, and to a server that has made its runtime; and what the reader's
 * own middlewares and libraries have added.
 */
const GLOBALS = `
import type * as Djr from 'djr';
declare global {
  const createRealtime: typeof Djr.createRealtime;
  const realtime: Djr.Realtime;
  const djr: Window['djr'];
  const djangoRealtimeConnection: Window['djangoRealtimeConnection'];
  const room: ReturnType<Window['djr']['join']>;
  interface WindowEventMap {
    written: CustomEvent & { target: HTMLElement };
  }
}
declare module '@nestjs/common' {
  interface INestApplication {
    useBodyParser(type: string): this;
  }
}
`;

/**
 * What the compiler may complain of: a name that is the reader's own (\`userOf\`, \`show\`), and a module that this project
 * does not have.
 */
const OWN = /error TS(2304|2552|18004|2307|2591|2584|2868):/;
/** What a middleware or a plugin puts on a request, which types it only where it is loaded. */
const SESSION =
  /error TS2339: Property '(session|user|userId)' does not exist on type '(FastifyRequest|FastifySession|IncomingMessage|Session)/;
/** Members of a detail that is registered nowhere are unknown. */
const UNKNOWN = /error TS(2362|2363):/;
/** None of ours may be missing. */
const MISSING = /Cannot find module '(\.\/)?djr/;

const isWrong = (line: string): boolean => (!OWN.test(line) && !SESSION.test(line)) || MISSING.test(line);

/** Lines that are alternatives to each other: each declares the same name. */
const ALTERNATIVES = /error TS2451: Cannot redeclare block-scoped variable 'client'/;

interface Source {
  readonly place: string;
  readonly name: string;
  readonly code: string;
}

/** The scripts of a page, and the modules. */
function sourcesOf({ place, language, code }: Block): Source[] {
  const name = place.replaceAll(/\W+/g, '_');
  if (language === 'html') {
    const scripts = [...code.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)];
    return scripts.map(([, script], index) => ({ place, name: `${name}_${index}.js`, code: script! }));
  }
  if (language === 'js' || language === 'jsx') return [{ place, name: `${name}.${language}`, code }];
  return language === 'ts' || language === 'tsx' ? [{ place, name: `${name}.${language}`, code }] : [];
}

/** @returns what the compiler says, each line with the place of its block */
async function complaints(t: ExecutionContext, sources: readonly Source[]): Promise<string[]> {
  const cache = path.join(root, 'node_modules/.cache/djr');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(path.join(cache, 'blocks-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const compilerOptions = {
    allowJs: true,
    checkJs: true,
    strict: false,
    noEmit: true,
    skipLibCheck: true,
    target: 'es2023',
    module: 'nodenext',
    jsx: 'react-jsx',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node'],
    rootDir: root,
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  await writeFile(path.join(folder, 'globals.d.ts'), GLOBALS);
  for (const { name, code } of sources) await writeFile(path.join(folder, name), `${code}\nexport {};\n`);
  const child = spawn(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    cwd: folder,
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return said.split('\n').flatMap((line) => {
    const source = sources.find(({ name }) => line.startsWith(`${name}(`));
    return source ? [line.replace(source.name, source.place)] : line.startsWith(' ') || line === '' ? [] : [line];
  });
}

test('The JavaScript and TypeScript of the documents compiles, and calls what there is', async (t) => {
  // What a snippet registers would hold for all: test/types.test.ts compiles that one by itself.
  const sources = blocks.filter(({ code }) => !code.includes('interface Register')).flatMap(sourcesOf);
  t.true(sources.length > 60);
  const said = await complaints(t, sources);
  t.deepEqual(
    said.filter((line) => isWrong(line) && !UNKNOWN.test(line) && !ALTERNATIVES.test(line)),
    [],
  );
});

test('A snippet that calls what is not there is found', async (t) => {
  const wrong = [
    ['option.js', 'createRealtime({ heartbeats: 1 });'],
    ['method.js', 'realtime.send();'],
    ['page.js', "djr.listen('a');"],
    ['import.ts', "import { connects } from 'djr/browser';\nconnects();"],
  ].map(([name, code]) => ({ place: name!, name: name!, code: code! }));
  const said = await complaints(t, wrong);
  for (const { name } of wrong) {
    t.true(
      said.some((line) => line.startsWith(name) && isWrong(line)),
      `${name}: ${said.join('\n')}`,
    );
  }
});

test('The Svelte of the documents compiles', (t) => {
  for (const { place, code } of blocks.filter(({ language }) => language === 'svelte')) {
    t.notThrows(() => compile(code, { generate: 'client' }), place);
  }
});
