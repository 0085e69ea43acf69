/** One small wrong change to a file of sql/. */
export interface SqlMutant {
  readonly line: number;
  readonly was: string;
  readonly is: string;
  /** The statement that has it, as it should be, and with the change. */
  readonly original: string;
  readonly mutated: string;
}

/** What becomes what, in code: not in texts, not in comments. What makes no statement is left out when PostgreSQL refuses it. */
const CHANGES: [what: RegExp, to: string | ((found: string) => string)][] = [
  [/(?<=operator\(pg_catalog\.|\s)<(?=\)|\s)/g, '<='],
  [/(?<=operator\(pg_catalog\.|\s)<=(?=\)|\s)/g, '<'],
  [/(?<=operator\(pg_catalog\.|\s)>(?=\)|\s)/g, '>='],
  [/(?<=operator\(pg_catalog\.|\s)>=(?=\)|\s)/g, '>'],
  [/(?<=operator\(pg_catalog\.|\s)=(?=\)|\s)/g, '<>'],
  [/(?<=operator\(pg_catalog\.|\s)<>(?=\)|\s)/g, '='],
  [/(?<=operator\(pg_catalog\.|\s)~(?=\)|\s)/g, '!~'],
  [/(?<=operator\(pg_catalog\.|\s)!~(?=\)|\s)/g, '~'],
  [/(?<= )\+(?= )/g, '-'],
  [/(?<= )-(?= )/g, '+'],
  [/\band\b/g, 'or'],
  [/\bor\b/g, 'and'],
  [/\bis null\b/g, 'is not null'],
  [/\bis not null\b/g, 'is null'],
  [/\bis distinct from\b/g, 'is not distinct from'],
  [/\bis not distinct from\b/g, 'is distinct from'],
  [/\bnot (?=exists|between|pg_|djr\.|\()/g, ''],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bleast\b/g, 'greatest'],
  [/\bgreatest\b/g, 'least'],
  [/\bmin(?=\()/g, 'max'],
  [/\bmax(?=\()/g, 'min'],
  [/\bany (?=\()/g, 'all '],
  [/(?<=\b(?:if|elsif) )(?!not found|found)[^;]*?(?= then\b)/g, 'false'],
  [/\bperform [^;]*(?=;)/g, 'null'],
  [/(?<![\w$.%])\d+(?![\w$.%])/g, (found) => String(BigInt(found) + 1n)],
];

/** A regular expression's alternatives, and its ranges of characters: each is left out once. */
const PARTS = /\|\^?[^|()[\]']+(?=[|)'[])|\\\\u[0-9a-f]{4}(?:-\\\\u[0-9a-f]{4})?/g;

/** The same text with every character of a comment, and of what stands in quotes, made a blank; lines stay. */
const codeOf = (text: string): string =>
  text.replace(/--[^\n]*|'(?:[^']|'')*'/g, (hidden) => hidden.replace(/[^\n]/g, '\0'));

/** The parts of a file that hold rules: functions, and the constraints of a domain. */
const STATEMENTS =
  /^create or replace function [\s\S]*?\n\$\$;|^ *constraint \w+ check \([\s\S]*?\n? *\)(?=;|\n)|^ *alter domain \S+ *\n? *add constraint [\s\S]*?;/gm;

export function mutantsOf(text: string): SqlMutant[] {
  const mutants: SqlMutant[] = [];
  for (const { 0: original, index: start } of text.matchAll(STATEMENTS)) {
    const code = codeOf(original);
    const body = Math.max(0, code.search(/\bas \$\$/));
    const add = (at: number, was: string, is: string) => {
      if (at < body || was === is) return;
      const line = text.slice(0, start + at).split('\n').length;
      const mutated = original.slice(0, at) + is + original.slice(at + was.length);
      mutants.push({ line, was, is, original, mutated });
    };
    for (const [what, to] of CHANGES) {
      for (const { 0: found, index } of code.matchAll(what)) {
        const was = original.slice(index, index + found.length);
        add(index, was, typeof to === 'string' ? to : to(found));
      }
    }
    for (const { 0: quoted, index } of original.matchAll(/~\)?\s+(E?'[^']*')/g)) {
      for (const { 0: part, index: at } of quoted.matchAll(PARTS)) add(index + at, part, '');
    }
  }
  return mutants.sort((a, b) => a.line - b.line);
}
