import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';

const read = (name: string) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

/** Numbers of a text: `3,152`, `0.93`; whatever stands between them. */
const numbersOf = (text: string): string[] => text.match(/\d+(?:,\d{3})*(?:\.\d+)?/g) ?? [];

/** The benchmark's own lines on something, and what other documents say of it. */
const QUOTED = [
  {
    what: 'one client',
    rows: [/^\| one client p50, floor.*$/gm],
    elsewhere: [['README.md', /\*\*(.*?) times\*\* the same insert/]],
  },
  {
    what: 'commits of 2 ms',
    rows: [/^\| (?:16|64) publishers, commits of 2 ms.*$/gm],
    elsewhere: [
      ['README.md', /\*\*(.*?) of bare INSERTs\*\*/],
      ['docs/scale.md', /commits under load.*?\| (.*?) of bare INSERTs/],
      ['docs/scale.md', /with 64 publishers (.*?) times/],
    ],
  },
  {
    what: 'a burst',
    rows: [/^\| burst, coalesced.*$/gm],
    elsewhere: [['README.md', /\*\*(.*?) times\*\* the deliveries a second/]],
  },
  {
    what: 'listeners',
    rows: [/^What listeners cost[\s\S]*?\n\n/m],
    elsewhere: [
      ['docs/scale.md', /a NOTIFY in each commit: (.*?) a second/],
      ['docs/scale.md', /a second with one listener, (.*?) \|/],
    ],
  },
] as const;

for (const { what, rows, elsewhere } of QUOTED) {
  test(`What the documents say of ${what} is what the benchmark measured`, async (t) => {
    const bench = await read('bench/README.md');
    const measured = rows.flatMap((row) => bench.match(row) ?? []).join('\n');
    t.not(measured, '', 'the benchmark has no such line');
    for (const [document, claim] of elsewhere) {
      const said = claim.exec(await read(document))?.[1];
      t.truthy(said, `${document} does not say ${claim}`);
      for (const number of numbersOf(said!)) t.true(numbersOf(measured).includes(number), `${document}: ${number}`);
    }
  });
}

test('What 50 listeners leave of one is the same in the relay as in the benchmark', async (t) => {
  const [, one, fifty] = /: ([\d,]+) a second with one `LISTEN`[\s\S]*?([\d,]+) with 50/.exec(
    await read('bench/README.md'),
  )!;
  const [one_, fifty_] = [one!, fifty!].map((number) => Number(number.replaceAll(',', '')));
  const said = /50 of them listening publishers reach (\S+)/.exec(await read('docs/relay.md'))![1]!;
  t.is(said, (fifty_! / one_!).toFixed(2));
});

/** Bounds in the code, and how documents say them. */
const BOUNDS = [
  ['src/browser/topics/asking.ts', 'MAX_TOPICS', /(?:at most|up to|asks for|More than) ([\d,]+) topics/g],
  ['src/browser/topics/asking.ts', 'MAX_ADDRESS', /([\d,]+) characters (?:of its address|at most, in which)/g],
  ['src/browser/seen.ts', 'CAPACITY', /remembers (?:the latest )?([\d,]+)/g],
  ['src/clients/topics/presence.ts', 'MAX_NAMED', /(?:beyond|more than) ([\d,]+) users/g],
  ['src/event/audience.ts', 'MAX_TOPIC', /has 1 to ([\d,]+) characters, no white space/g],
] as const;

test('Bounds that documents name are those of the code', async (t) => {
  const pages = (await readdir(new URL('../../docs/', import.meta.url))).filter((name) => name.endsWith('.md'));
  const texts = await Promise.all(['README.md', ...pages.map((name) => `docs/${name}`)].map(read));
  const text = texts.join('\n').replaceAll(/\s+/g, ' ');
  for (const [file, name, claim] of BOUNDS) {
    const value = new RegExp(`const ${name} = ([\\d_]+)`).exec(await read(file))![1]!.replaceAll('_', '');
    const said = [...text.matchAll(claim)].map((match) => match[1]!.replaceAll(',', ''));
    t.true(said.length > 0, `no document says ${name}`);
    for (const one of said) t.is(one, value, `${name} of ${file}`);
  }
});
