import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/program.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { allBlocks, type Block } from '../helpers/document.js';

const blocks = await allBlocks();
const inLanguages = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));

/** What becomes of a block of each language. What no test runs is `text`, and the page says what it is. */
const TESTED = {
  sql: 'below; the pages in OWN have a test of their own',
  sh: 'below: commands and options that are ours must exist',
  json: 'below',
  js: 'test/docs/compiled.test.ts',
  ts: 'test/docs/compiled.test.ts',
  jsx: 'test/docs/compiled.test.ts',
  tsx: 'test/docs/compiled.test.ts',
  html: 'test/docs/compiled.test.ts, its scripts',
  svelte: 'test/docs/compiled.test.ts',
  // Taken out of the page and run with the program itself.
  nginx: 'test/deployment/nginx.test.ts',
  caddy: 'test/deployment/caddy.test.ts',
  haproxy: 'test/deployment/haproxy.test.ts',
  ini: 'test/deployment/systemd.test.ts',
  python: 'test/deployment/recipes.test.ts',
  ruby: 'test/deployment/recipes.test.ts',
  php: 'test/deployment/recipes.test.ts',
  go: 'test/deployment/recipes.test.ts',
  // There is no container engine and no cluster where the tests run.
  dockerfile: 'below: the commands in it must exist',
  yaml: 'below: it is parsed',
  text: 'shows what something looks like: nothing to run',
};

test('Each block of code says in which language it is, and each language has its test', (t) => {
  const unknown = blocks.filter(({ language }) => !(language in TESTED));
  t.deepEqual(
    unknown.map(({ place, language }) => `${place} ${language || 'has no language'}`),
    [],
  );
});

test('Blocks of JSON and YAML can be read', (t) => {
  for (const { place, code } of inLanguages('json', 'yaml')) t.notThrows(() => parse(code), place);
});

/** These pages' SQL is run by a test that looks at what it did, too. */
const OWN = ['docs/tasks.md', 'docs/rooms.md', 'docs/consumers.md'];

const ORDERS = `create table orders (id int primary key, user_id int, customer_id int, status text, total numeric);
  insert into orders values (7, 42, 42, 'new', 19.90);`;
const MESSAGES = 'create table message (id int primary key, room_id int, text text);';

/** What the reader of a page has already. */
const BEFORE: Record<string, string> = {
  'README.md': ORDERS + MESSAGES,
  'docs/start.md': ORDERS,
  'docs/concepts.md': ORDERS,
  'docs/recipes.md': ORDERS,
};

/** The page's own names of roles are those of the whole server: the test's are its own. */
function withOwnRoles(code: string, db: TestDatabase): string {
  return code
    .replaceAll(/'(app|djr_runtime)'/g, `'$1_${db.name}'`)
    .replaceAll(/\b(role|to) (app|djr_runtime)\b/g, `$1 $2_${db.name}`);
}

const pages = new Set(inLanguages('sql').map(({ document }) => document));
for (const page of pages) {
  if (OWN.includes(page)) continue;
  test(`The SQL of ${page} runs as it stands, one block after the other`, async (t) => {
    const db = await createDatabase(t);
    const roles = ['app', 'djr_runtime'].map((name) => `${name}_${db.name}`);
    t.teardown(async () => {
      for (const role of roles) {
        const [found] = await db.query('select from pg_roles where rolname = $1', [role]);
        if (found) await db.query(`drop owned by ${role} cascade; drop role ${role}`);
      }
    });
    const code = inLanguages('sql').filter(({ document }) => document === page);
    // What makes the roles itself is left to do so.
    const made = code.some((block) => block.code.includes('create role app'));
    if (!made) await db.query(`create role ${roles[0]} login`);
    await db.query(BEFORE[page] ?? 'select');
    for (const { place, code: sql } of code) await t.notThrowsAsync(db.query(withOwnRoles(sql, db)), place);
  });
}

/** The commands of a block, without comments, each line of it one. */
const commandsOf = ({ code }: Block): string[] =>
  code
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)# .*$/, '').trim())
    .filter((line) => line !== '');

/** What is wrong with a call of the command `djr`; undefined: nothing. */
function misuse(words: readonly string[], program: Command): string | undefined {
  const [name = '', ...rest] = words;
  const command = name.startsWith('-') ? program : program.commands.find((one) => one.name() === name);
  if (!command) return name === 'help' || name === 'COMMAND' ? undefined : `there is no command djr ${name}`;
  // It hands its options to another program.
  if (name === 'bench') return undefined;
  const known = new Set(['-h', '--help', ...command.options.flatMap(({ short, long }) => [short, long])]);
  const flags = (name.startsWith('-') ? words : rest).filter((word) => /^--?[a-z]/i.test(word));
  const unknown = flags.map((flag) => flag.split('=')[0]!).filter((flag) => !known.has(flag));
  return unknown.length > 0 ? `djr ${name} has no option ${unknown.join(', ')}` : undefined;
}

/** Words of a shell's line; a quoted text is one word, of which nothing begins with a dash. */
const words = (line: string): string[] =>
  (line.match(/"(?:\\.|[^"\\])*"|'[^']*'|[^\s"']+/g) ?? []).map((word) => word.replace(/^["']-?/, ''));

/** Calls of `djr` in a shell's line, up to the end of each call. */
const callsOf = (line: string): string[][] =>
  [...line.matchAll(/(?:^|&& |\| |[`(]|npx )djr ((?!npm)[a-z-][^&|;>)`]*)/g)].map(([, call]) => words(call!));

test('Each command and option of djr that the documents name exists', async (t) => {
  const program = createProgram();
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> };
  let found = 0;
  for (const block of inLanguages('sh', 'dockerfile')) {
    for (const line of commandsOf(block)) {
      for (const call of callsOf(line)) {
        found += 1;
        t.is(misuse(call, program), undefined, `${block.place}: ${line}`);
      }
    }
  }
  t.true(found > 8);
  for (const name of ['README.md', 'CONTRIBUTING.md', ...(await documents())]) {
    const text = await readFile(name, 'utf8');
    for (const [line] of text.matchAll(/`(?:npx )?djr (?!as )[^`\n]+`/g)) {
      for (const call of callsOf(line)) t.is(misuse(call, program), undefined, `${name}: ${line}`);
    }
    for (const [, script] of text.matchAll(/npm run (?:-s |--silent )?([\w:]+)/g)) {
      t.true(script! in scripts, `${name}: npm run ${script}`);
    }
  }
});

const documents = async (): Promise<string[]> =>
  (await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);

test('Each name of schema djr in the documents is in the schema, or in the browser', async (t) => {
  const { query } = await createDatabase(t);
  const names = await query<{ name: string }>(`
    select proname::text as name from pg_proc where pronamespace = 'djr'::regnamespace
    union select relname from pg_class where relnamespace = 'djr'::regnamespace
    union select typname from pg_type where typnamespace = 'djr'::regnamespace`);
  const known = new Set(names.map(({ name }) => name));
  const inBrowser = ['connect', 'subscribe', 'join', 'ack', 'seen', 'close'];
  const files = ['js', 'mjs', 'sql', 'conf', 'config', 'service', 'test'];
  for (const document of ['README.md', ...(await documents())]) {
    const text = await readFile(document, 'utf8');
    for (const [place, name = ''] of text.matchAll(/(?<![\w/.-])djr\.([a-z_]\w*)/g)) {
      t.true(known.has(name) || inBrowser.includes(name) || files.includes(name), `${document}: ${place}`);
    }
  }
});
