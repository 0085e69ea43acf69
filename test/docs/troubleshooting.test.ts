import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/troubleshooting.md', root), 'utf8');
const sections = page.split(/^## /m).slice(1);

/** All texts of the checks, without the source's breaks; what they fill in is `…`. */
async function doctorsWords(): Promise<string> {
  const folder = new URL('src/doctor/', root);
  const files = await Promise.all((await readdir(folder)).map((file) => readFile(new URL(file, folder), 'utf8')));
  return files.join('\n').replaceAll(/\$\{[^}]*\}/g, '…');
}

test('Each symptom ends in what doctor says, in words that doctor has', async (t) => {
  const source = await doctorsWords();
  t.true(sections.length > 10);
  for (const section of sections) {
    const last = section.trim().split('\n\n').at(-1)!;
    t.regex(last, /^Doctor says /, section.split('\n')[0]);
    for (const [, check, found] of last.matchAll(/`([^`:]+): ([^`]+)`/g)) {
      t.true(source.includes(`'${check}'`), `doctor has no check ${check}`);
      for (const part of found!.split('…')) t.true(source.includes(part.trim()), `${check}: ${part}`);
    }
  }
});

test('The page has the symptoms that people come with', (t) => {
  const titles = sections.map((section) => section.split('\n')[0]);
  for (const symptom of [
    'Nothing arrives',
    'bursts',
    'after a minute',
    'locally only',
    'seventh tab',
    'slow',
    '401',
    'reloads',
  ]) {
    t.true(
      titles.some((title) => title!.includes(symptom)),
      symptom,
    );
  }
});
