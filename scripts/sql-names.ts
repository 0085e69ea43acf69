/**
 * Finds names in SQL that PostgreSQL would look up through the search_path, on which a stranger's schema may be: functions,
 * operators, also those that a word stands for (`in`, `like`), types and tables.
 */

/** Followed by a parenthesis, and no functions; or functions that the grammar knows, which are always pg_catalog's. */
const WORDS = new Set(
  `all and any array as by cast coalesce conflict cube else except exists extract filter from greatest grouping having in
   intersect into key lateral least limit materialized not on or order over overlay partition position row rows select set
   some substring then trim union unique using values when where with within without check primary references
   bit char character dec decimal float int integer interval numeric smallint bigint real time timestamp varchar varying
   analyze vacuum returning usage public`.split(/\s+/),
);

/** Types that the grammar knows. The others, `text` among them, are looked up. */
const TYPES =
  /^(?:bigint|bit|boolean|char|character|dec|decimal|double precision|float|int|integer|interval|numeric|real|smallint|time|timestamp|varchar)\b/;

/** Where a table's name stands. `from` is a part of other phrases, too, which are taken away before. */
const TABLE = /\b(?:from|join|into|update|truncate(?: table)?)\s+([a-z]\w*)\s*(?=$|[\s,;)])/g;
const NO_TABLES = new Set(['only', 'lateral', 'select', 'skip', 'of', 'nowait', 'set', 'strict']);

/** What stands for one thing that is itself no name. */
const ELSEWHERE = '?';

/** SQL without what is in quotes, in comments, and in a template's placeholders. */
function bare(sql: string): string {
  return sql
    .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, ` ${ELSEWHERE} `)
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ')
    .replace(/(?:\be)?'(?:[^']|'')*'/gi, " '' ")
    .replace(/"(?:[^"]|"")*"/g, ' quoted ')
    .replace(/\$\w+/g, ` ${ELSEWHERE} `)
    .toLowerCase();
}

/** @returns each name that is not qualified, with what is wrong with it; none when all are */
export function unqualifiedNames(sql: string): string[] {
  const found: string[] = [];
  const add = (what: string, name: string) => found.push(`${what} ${name.trim().replace(/\s+/g, ' ')}`);
  let text = bare(sql);
  // The only place where an operator may have a schema.
  text = text.replace(/operator\(\s*(?:pg_catalog|djr)\.[^()\s]+\s*\)/g, ' ; ');
  for (const [name] of text.matchAll(/\boperator\([^)]*\)/g)) add('operator', name);
  text = text.replace(/\boperator\([^)]*\)/g, ' ; ');

  for (const [phrase] of text.matchAll(/\b(?:i?like|similar to|between|overlaps|natural)\b/g))
    add('operator in', phrase);
  for (const [phrase] of text.matchAll(/\bin\s*\(|\bnullif\s*\(|\bis\s+(?:not\s+)?distinct\s+from\b/g))
    add('operator in', phrase);
  for (const [phrase] of text.matchAll(/\bcase\s+(?!when\b)\S+/g)) add('operator in', phrase);
  for (const [phrase] of text.matchAll(/\bjoin\b[^;]*?\busing\s*\(|\border\s+by\b[^;)]*\busing\b/g))
    add('operator in', phrase);
  for (const [, name] of text.matchAll(/\bcollate\s+(?!pg_catalog\.)(\S+)/g)) add('collation', name!);
  text = text.replace(/\bis\s+(?:not\s+)?distinct\s+from\b/g, ' ; ').replace(/\(\s*\w+\s+from\b/g, '( ');

  for (const [, type] of text.matchAll(/::\s*([a-z_][\w.]*(?:\s+precision)?)/g)) {
    if (!TYPES.test(type!) && !/^(?:pg_catalog|djr|information_schema)\./.test(type!)) add('type', type!);
  }
  for (const [, type] of text.matchAll(/\bas\s+([a-z_]\w*)\s*\)/g)) if (/\bcast\b/.test(text)) add('type', type!);
  for (const [, type] of text.matchAll(/\b(date|text|jsonb?|timestamptz|uuid|xid8?|reg\w+|pg_\w+|name|bytea)\s+''/g))
    add('type', type!);

  for (const [, name] of text.matchAll(TABLE)) if (!NO_TABLES.has(name!)) add('table', name!);

  for (const { 1: name, index } of text.matchAll(/(?<![\w.?])([a-z_]\w*)\s*\(/g)) {
    // `as step (id, …)` names columns.
    if (!WORDS.has(name!) && name !== 'nullif' && !/\bas\s+$/.test(text.slice(0, index))) add('function', name!);
  }

  // What is no operator: a cast, a named argument, all columns, and a number's sign.
  const operators = text
    .replace(/::|=>|:=|\bset\s+(?:local\s+|session\s+)?\w+\s*=/g, ' ')
    .replace(/(\bselect\s+(?:distinct\s+)?|[.(,]\s*|\breturning\s+)\*/g, '$1 ')
    .replace(/(\(|,|\binterval)\s*-\s*(?=\d)/g, '$1');
  // A question mark is a placeholder here, and no operator of ours.
  for (const [name] of operators.matchAll(/[-+*/<>=~!@#%^&|`]+/g)) add('operator', name);
  return found;
}
