/**
 * Fails on SQL that PostgreSQL would look up through the search_path: in what src/ sends, and in functions of sql/ that set
 * none.
 *
 *   npm run sql:check     runs it, too
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { unqualifiedNames } from './sql-names.js';

/** Statements that djr does not send: people read them. The app's own names are in them. */
const SHOWN = [/select user_id from session where token = \$1 and expires > now\(\)/];

/** How a statement begins, and what in a literal tells of a part of one. */
const STATEMENT =
  /^[\s(]*(?:select|with|insert\s+into|update\s+\S+\s+set|delete\s+from|truncate|create|alter|drop|lock|table|values|do|call|merge|copy|grant|revoke)\s/i;
const PART =
  /::\s*[a-z_"$]|\boperator\(|[\s(,=]\$\d|\$\{bind\(|^\s*(?:from|join|where|and|or|order by|group by|having|limit|union|returning)\s+\S*\s*(?:[=<>(~@]|in\b|like\b|between\b|is\b)|^\s*\(?\w*\.?(?:x?id|scope|type|user_id|event_id|\w+_at|detail|status|key|channel|retention)\s*(?:[<>=~@]|in\s*\(|like\b|between\b|is\b)|\bpg_catalog\.\w/i;

/** Markup, a command to type, or a sentence: what people read may have such words, too. */
const isProse = (text: string): boolean =>
  /<\/?[a-z]+[\s>]|\bdjr [a-z]|\$ /.test(text) || (!STATEMENT.test(text) && /^[A-Z][a-z]+ |[a-z`)][.:] ?$/.test(text));

interface Literal {
  line: number;
  text: string;
}

/** The string and template literals of TypeScript; a literal in a template's placeholder is one of its own. */
export function literals(source: string): Literal[] {
  const found: Literal[] = [];
  const lineAt = (place: number) => source.slice(0, place).split('\n').length;
  /** Reads code up to a brace that nothing opened, or to the end. */
  const code = (from: number): number => {
    let depth = 0;
    let place = from;
    let before = '';
    while (place < source.length) {
      const here = source[place]!;
      if (source.startsWith('//', place)) place = source.indexOf('\n', place);
      else if (source.startsWith('/*', place)) place = source.indexOf('*/', place) + 2;
      else if (here === "'" || here === '"') place = quoted(place, here);
      else if (here === '`') place = template(place);
      else if (here === '/' && !/[\w)\]$]/.test(before)) place = regex(place);
      else {
        if (here === '{') depth += 1;
        if (here === '}' && depth-- === 0) return place;
        place += 1;
      }
      if (place < from) return source.length;
      if (!/\s/.test(here)) before = here;
    }
    return place;
  };
  const quoted = (from: number, quote: string): number => {
    let place = from + 1;
    while (source[place] !== quote) place += source[place] === '\\' ? 2 : 1;
    found.push({ line: lineAt(from), text: source.slice(from + 1, place).replace(/\\(.)/g, '$1') });
    return place + 1;
  };
  const template = (from: number): number => {
    let place = from + 1;
    while (source[place] !== '`') {
      if (source.startsWith('${', place)) place = code(place + 2) + 1;
      else place += source[place] === '\\' ? 2 : 1;
    }
    found.push({ line: lineAt(from), text: source.slice(from + 1, place) });
    return place + 1;
  };
  const regex = (from: number): number => {
    let place = from + 1;
    for (let inClass = false; source[place] !== '/' || inClass; place += 1) {
      // No expression goes over a line: it was a division, behind `age!` for example.
      if (source[place] === undefined || source[place] === '\n') return from + 1;
      if (source[place] === '\\') place += 1;
      else if (source[place] === '[') inClass = true;
      else if (source[place] === ']') inClass = false;
    }
    return place + 1;
  };
  code(0);
  return found;
}

/** @returns a line for each name that is not qualified */
export function lintTypeScript(file: string, source: string): string[] {
  return literals(source)
    .filter(({ text }) => (STATEMENT.test(text) || PART.test(text)) && !isProse(text))
    .filter(({ text }) => !/^\$\{PINNED\}/.test(text) && !SHOWN.some((shown) => shown.test(text)))
    .flatMap(({ line, text }) => unqualifiedNames(text).map((name) => `${file}:${line}: ${name}`));
}

const PINNED = /^set search_path = pg_catalog, pg_temp$/m;

/** @returns a line for each function without a path of its own that has a name which is not qualified */
export function lintSql(file: string, source: string): string[] {
  return source
    .split(/^(?=create (?:or replace )?function )/m)
    .filter((part) => /^create (?:or replace )?function /.test(part))
    .flatMap((definition) => {
      const [head, body = ''] = definition.split(/\$\w*\$/);
      if (PINNED.test(head!)) return [];
      const name = /function ([\w.]+)/.exec(head!)![1]!;
      return unqualifiedNames(body).map((found) => `${file}: ${name} sets no search_path, and has: ${found}`);
    });
}

/** Calls that read rows with the parsers that an app may have given the process. */
const WITH_OTHER_PARSERS = /(?<!asking\(pool\)|\bthis)\.query<[^(]*>\((?!\{|query\))/g;

/** A literal with a backslash says E'…': where standard_conforming_strings is off, any other loses it. */
export function lintBackslashes(file: string, source: string): string[] {
  return source.split('\n').flatMap((line, place) => {
    const code = line.trimStart().startsWith('--') ? '' : line;
    // Every second part is within quotes; a doubled quote makes two literals, which both must be E'…'.
    const parts = code.split("'");
    const plain = parts.filter(
      (part, index) => index % 2 === 1 && part.includes('\\') && !/\be$/i.test(parts[index - 1]!),
    );
    return plain.map((text) => `${file}:${place + 1}: a literal with a backslash must be E'…' (it is '${text}')`);
  });
}

const ROOMS = ['public', 'runtime', 'internal'];

/** What reads rows names its parsers: an object with `types`, or `select()`. */
export function lintParsers(file: string, source: string): string[] {
  return [...source.matchAll(WITH_OTHER_PARSERS)].map(
    ({ 0: call, index }) =>
      `${file}:${source.slice(0, index).split('\n').length}: ${call} reads rows with the parsers of the process: call select()`,
  );
}

/** A function's file is named after it, lies in the folder of who calls it, and is in sql/index.sql. */
export function lintPlaces(files: Map<string, string>, index: string): string[] {
  return [...files].flatMap(([file, source]) => {
    const [room, name] = file
      .replace(/\.sql$/, '')
      .split('/')
      .slice(-2) as [string, string];
    const complaints: string[] = [];
    if (!ROOMS.includes(room)) complaints.push(`it must lie in one of ${ROOMS.join(', ')}`);
    if ((room === 'internal') !== name.startsWith('_'))
      complaints.push('functions/internal is for names that begin with _');
    if (!source.includes(`function djr.${name}(`)) complaints.push(`it must define djr.${name}`);
    if (!index.includes(`--!include functions/${room}/${name}.sql\n`)) complaints.push('sql/index.sql must include it');
    return complaints.map((complaint) => `${file}: ${complaint}`);
  });
}

export async function lint(): Promise<string[]> {
  const files = async (folder: string, end: string) =>
    (await readdir(folder, { recursive: true }))
      .filter((file) => file.endsWith(end))
      .map((file) => path.join(folder, file));
  const read = async (all: string[], check: typeof lintSql) =>
    (await Promise.all(all.map(async (file) => check(file, await readFile(file, 'utf8'))))).flat();
  const functions = await files('sql/functions', '.sql');
  const sources = await Promise.all(functions.map(async (file) => [file, await readFile(file, 'utf8')] as const));
  return [
    ...lintPlaces(new Map(sources), await readFile('sql/index.sql', 'utf8')),
    ...(await read(await files('src', '.ts'), lintTypeScript)),
    ...(await read(await files('src', '.ts'), lintParsers)),
    ...(await read(await files('sql', '.sql'), lintSql)),
    ...(await read(await files('sql', '.sql'), lintBackslashes)),
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const complaints = await lint();
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  if (complaints.length > 0) {
    process.stderr.write(
      "A name that is not qualified may be a stranger's: write pg_catalog.now(), operator(pg_catalog.=), ::pg_catalog.text.\n",
    );
    process.exit(1);
  }
}
