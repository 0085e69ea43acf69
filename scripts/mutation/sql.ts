/**
 * Mutates the rules in SQL: Stryker knows no SQL, and nothing that others keep does more than change a SELECT. Each mutant replaces one
 * function, or one rule of a domain, in the database that the tests clone; then the tests of test/sql run, until the first fails.
 *
 *   npm run test:mutation -- sql [--only sql/functions/internal/_fits.sql | --only sql/functions/internal/_announce.sql:20-60]
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { databaseUrl, TEMPLATE } from '../../test/helpers/database.js';
import { mutantsOf, type SqlMutant } from './sql-mutants.js';

/** Each file with rules, and what of test/sql must notice, before test/sql/rules.test.ts. */
const RULES: Record<string, string[]> = {
  'sql/schema/domains.sql': ['publish', 'publish-topic'],
  'sql/tables/event.sql': ['publish-topic'],
  'sql/functions/internal/_validate.sql': ['publish', 'publish-many', 'publish-topic'],
  'sql/functions/internal/_validate_topic.sql': ['publish-topic', 'publish-many'],
  'sql/functions/internal/_is_valid.sql': ['publish-many', 'publish'],
  'sql/functions/internal/_is_topic.sql': ['publish-topic', 'publish-many', 'publish-row-topic'],
  'sql/functions/internal/_fits.sql': ['publish', 'publish-topic', 'replay', 'orders'],
  'sql/functions/internal/_is_readable.sql': ['publish', 'own-event-model', 'publish-topic'],
  'sql/functions/internal/_announce.sql': ['announce', 'publish', 'size', 'max-bytes', 'settings', 'publish-many'],
  'sql/functions/internal/_publish.sql': ['publish', 'key', 'unstored', 'publish-topic'],
  'sql/functions/internal/_publish_once.sql': ['key', 'unstored'],
  'sql/functions/internal/_passes.sql': ['unstored-limit'],
  'sql/functions/internal/_is_for.sql': ['consume', 'consumer-loss', 'consumer-retention'],
  'sql/functions/internal/_is_awaited.sql': ['consumer-loss', 'consume', 'consumer-retention'],
  'sql/functions/internal/_overtake.sql': ['consumer-loss', 'consumer-retention', 'consume'],
  'sql/functions/internal/_overtake_truncated.sql': ['consumer-loss', 'consumer-retention'],
  'sql/functions/internal/_consumer_cutoff.sql': ['consumer-retention'],
  'sql/functions/internal/_consumer_from.sql': ['consume', 'consumer-retention'],
  'sql/functions/runtime/prune_batch.sql': ['prune', 'orders', 'activity', 'consumer-retention', 'consumer-loss'],
};

// A mutant that never ends is ended: a test's teardown waits for its statements.
process.env.PGOPTIONS ??= '-c statement_timeout=15s';

interface Runner {
  on(event: 'fail', listener: (test: { title: string }, error: Error) => void): void;
}
/** What is used of mocha: it is installed for the mutation tests alone. */
interface Mocha {
  readonly suite: { emit(event: 'pre-require', context: object, file: string, mocha: Mocha): void };
  cleanReferencesAfterRun(clean: boolean): this;
  grep(titles: RegExp): this;
  run(done: (failures: number) => void): Runner;
}
const { default: Mocha } = (await import(new URL('node_modules/mocha/index.js', import.meta.url).href)) as {
  default: new (options: object) => Mocha;
};

/** A rule of a domain is named, and takes the place of the one with that name. */
function statements(text: string, file: string): string {
  if (!/^\s*(?:constraint|alter domain)/.test(text)) return text;
  const [, name = ''] = /constraint (\w+)/.exec(text) ?? [];
  const rule = text
    .slice(text.indexOf('constraint'))
    .replace(/;$/, '')
    .replace(/\s+not valid$/, '');
  const owner =
    file.includes('tables/') && !name.startsWith('event_topic') ? '' : `djr.${name.split('_').slice(0, 2).join('_')}`;
  return `alter domain ${owner} drop constraint ${name}; alter domain ${owner} add ${rule} not valid;`;
}

async function apply(sql: string): Promise<boolean> {
  const client = new pg.Client(databaseUrl(TEMPLATE));
  await client.connect();
  try {
    await client.query(sql);
    return true;
  } catch {
    // It is no statement, so that it is no mutant.
    return false;
  } finally {
    await client.end();
  }
}

/** The lines of a file that are mutated: all of them, unless some are named. */
const only = new Map<string, [first: number, last: number]>();
for (const named of process.argv.slice(2)) {
  const [, file = '', first = '1', last = 'Infinity'] = /^(.*?)(?::(\d+)-(\d+))?$/.exec(named)!;
  only.set(file, [Number(first), Number(last)]);
}
const files = Object.entries(RULES).filter(([file]) => only.size === 0 || only.has(file));
// What is about the file alone is run first: most mutants are killed there.
const names = [...new Set(files.flatMap(([, tests]) => tests)), 'rules'];
const mocha = new Mocha({ bail: true, reporter: class {}, timeout: 0 });
mocha.cleanReferencesAfterRun(false);
for (const name of names) {
  const file = path.resolve(`test/sql/${name}.test.ts`);
  // As mocha does it, but that it would ask require() first, which goes past register.mjs.
  mocha.suite.emit('pre-require', globalThis, file, mocha);
  await import(pathToFileURL(file).href);
}

/** @returns the first test that fails; undefined: all pass */
const firstFailure = (tests: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    let failed: string | undefined;
    mocha.grep(new RegExp(`^sql/(?:${tests.join('|')})\\.test\\.ts `));
    mocha
      .run(() => resolve(failed))
      .on('fail', ({ title }) => {
        failed ??= title;
      });
  });

const report: object[] = [];
let [killed, survived] = [0, 0];
for (const [file, tests] of files) {
  const text = await readFile(file, 'utf8');
  const before = await firstFailure(['rules', ...tests]);
  if (before) throw new Error(`the tests must pass before anything is mutated (${before} fails)`);
  const counts = [0, 0];
  const [first, last] = only.get(file) ?? [1, Infinity];
  for (const mutant of mutantsOf(text)) {
    const { is, line, mutated, original, was }: SqlMutant = mutant;
    if (line < first || line > last) continue;
    if (!(await apply(statements(mutated, file)))) continue;
    const by = await firstFailure(['rules', ...tests]);
    if (!(await apply(statements(original, file)))) throw new Error(`${file}:${line} could not be put back`);
    report.push({ file, line, was, is, by });
    counts[by ? 0 : 1]! += 1;
    if (!by) process.stdout.write(`survived  ${file}:${line}  ${was} → ${is || 'nothing'}\n`);
  }
  killed += counts[0]!;
  survived += counts[1]!;
  process.stdout.write(`${file}: ${counts[0]} of ${counts[0]! + counts[1]!} killed\n`);
}
await mkdir('.djr/mutation', { recursive: true });
const name = ['sql', ...[...only.keys()].map((file) => path.basename(file, '.sql'))].join('-');
await writeFile(`.djr/mutation/${name}.json`, JSON.stringify(report, undefined, 1));
process.stdout.write(`${killed} of ${killed + survived} mutants killed\n`);
process.exit(killed >= 0.9 * (killed + survived) ? 0 : 1);
