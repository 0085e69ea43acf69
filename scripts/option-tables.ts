/**
 * The tables of options in the documents: what an option does is its TSDoc, and its default is that of the schema which
 * validates it. A table stands between two comments, of which the first names the interface.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CONSUME_OPTIONS } from '../src/consume/options.js';
import { OPTIONS, RELAY_OPTIONS } from '../src/options.js';

/** The documents with tables, each interface with its file, and with its schema where there is one. */
const TABLES = [
  { document: 'docs/configuration.md', file: 'src/realtime-options.ts', name: 'RealtimeOptions', schema: OPTIONS },
  { document: 'docs/relay.md', file: 'src/realtime-options.ts', name: 'RelayOptions', schema: RELAY_OPTIONS },
  { document: 'docs/consumers.md', file: 'src/consume/options.ts', name: 'ConsumeOptions', schema: CONSUME_OPTIONS },
  { document: 'docs/browser.md', file: 'src/browser/types.ts', name: 'ConnectOptions' },
  { document: 'docs/browser.md', file: 'src/browser/types.ts', name: 'JoinOptions' },
] as const;

interface Option {
  readonly name: string;
  readonly text: string;
  readonly byDefault: string;
}

/** A number's unit is the first word of what its TSDoc says. */
const UNITS = new Map([
  ['Milliseconds', 'ms'],
  ['Bytes', 'bytes'],
  ['Events', 'events'],
  ['Streams', 'streams'],
  ['Requests', 'requests'],
]);

/** The members of an interface that stand in its source, each with its TSDoc. */
export function optionsOf(source: string, name: string): Option[] {
  const start = source.search(new RegExp(`^export interface ${name}\\b`, 'm'));
  if (start < 0) throw new Error(`There is no interface ${name}.`);
  const body = source.slice(start, source.indexOf('\n}\n', start));
  const documented = [...body.matchAll(/^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(?:readonly )?(\w+)(\??):/gm)];
  const names = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map((match) => match[1]);
  const silent = names.filter((one) => !documented.some((match) => match[2] === one));
  if (silent.length > 0) throw new Error(`${name} must have TSDoc for each option (not for ${silent.join(', ')}).`);
  return documented.map(([, comment = '', option = '', optional]) => {
    const line = comment
      .replaceAll(/\n\s*\*/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const [text = '', byDefault = optional ? 'none' : 'required'] = line
      .split('@defaultValue')
      .map((part) => part.trim());
    return { name: option, text: text.replaceAll(/\{@link ([\w.]+)\}/g, '`$1`'), byDefault };
  });
}

/** What validates the option, without its default, and the default. */
function ruleOf(schema: z.ZodObject | undefined, name: string): { rule: unknown; value: unknown } {
  const rule = schema?.shape[name];
  return rule instanceof z.ZodDefault
    ? { rule: rule.unwrap(), value: rule.parse(undefined) }
    : { rule, value: undefined };
}

/** @throws where the TSDoc names another default than the schema, or a number's unit is not said first */
function row(option: Option, schema: z.ZodObject | undefined): string {
  const { rule, value } = ruleOf(schema, option.name);
  const said = option.byDefault.replaceAll('`', '');
  const due = typeof value === 'string' ? `'${value}'` : String(value);
  if (['number', 'boolean', 'string'].includes(typeof value) && said.split(' ')[0] !== due) {
    throw new Error(`The TSDoc of the option ${option.name} must begin its @defaultValue with ${due} (it is ${said}).`);
  }
  const isNumber = rule instanceof z.ZodNumber;
  const unit = UNITS.get(option.text.split(' ')[0]!);
  if (isNumber && unit === undefined) {
    throw new Error(
      `The TSDoc of the option ${option.name} must begin with its unit: ${[...UNITS.keys()].join(', ')}.`,
    );
  }
  const least = isNumber && (rule.minValue ?? 0) > 1 ? ` At least ${rule.minValue}.` : '';
  const byDefault = option.byDefault.replace(/^(\d+|true|false)\b/, isNumber ? `\`$1\` ${unit}` : '`$1`');
  const text = `${option.text.replaceAll('](docs/', '](')}${least}`.replaceAll('|', '\\|');
  return `| \`${option.name}\` | ${byDefault} | ${text} |`;
}

/** The documents as they should be, by their path. */
export async function optionTables(): Promise<Map<string, string>> {
  const documents = new Map<string, string>();
  for (const { document, file, name, ...rest } of TABLES) {
    const schema = 'schema' in rest ? (rest.schema as z.ZodObject) : undefined;
    const options = optionsOf(await readFile(file, 'utf8'), name);
    const unknown = Object.keys(schema?.shape ?? {}).filter((key) => !options.some((option) => option.name === key));
    if (unknown.length > 0) throw new Error(`${name} must declare each option (not ${unknown.join(', ')}).`);
    const text = documents.get(document) ?? (await readFile(document, 'utf8'));
    const begin = `<!-- ${name}: from the TSDoc in ${file}, by \`npm run sql:write\`. Change that. -->`;
    const end = `<!-- end of ${name} -->`;
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${document} must have the lines "${begin}" and "${end}".`);
    const table = ['| option | default | what it does |', '|---|---|---|', ...options.map((one) => row(one, schema))];
    documents.set(document, `${text.slice(0, from)}${begin}\n\n${table.join('\n')}\n\n${text.slice(to)}`);
  }
  return documents;
}
