import { readdir, readFile } from 'node:fs/promises';

/** The code blocks of a language in a document, in their order. */
export async function codeBlocks(document: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`../../docs/${document}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language);
  if (blocks.length === 0) throw new Error(`docs/${document} must have a code block of ${language}.`);
  return blocks.map(([, , code]) => code!);
}

/** Replaces what is the reader's own; each must be there, else a test would run something else than the document. */
export function adapt(text: string, changes: [from: string, to: string][]): string {
  return changes.reduce((adapted, [from, to]) => {
    if (!adapted.includes(from)) throw new Error(`The document's code must have ${from}: ${text}`);
    return adapted.replaceAll(from, () => to);
  }, text);
}

/** A fenced block of code, with the language that its first line names. */
export interface Block {
  /** Where it stands, `docs/rooms.md:12`. */
  readonly place: string;
  readonly document: string;
  readonly language: string;
  /** All of the fence's first line: `js [Express]`. */
  readonly info: string;
  readonly code: string;
}

/** All blocks of README.md and docs/, but of the pages that are made from the code. */
export async function allBlocks(): Promise<Block[]> {
  const root = new URL('../../', import.meta.url);
  const pages = (await readdir(new URL('docs/', root))).filter((name) => name.endsWith('.md'));
  const documents = ['README.md', ...pages.map((name) => `docs/${name}`)].filter((name) => !MADE.includes(name));
  const texts = await Promise.all(documents.map((name) => readFile(new URL(name, root), 'utf8')));
  return texts.flatMap((text, index) => blocksOf(documents[index]!, text));
}

/** The blocks of one document, named from the root of the project. */
export const fencedBlocks = async (document: string): Promise<Block[]> =>
  blocksOf(document, await readFile(new URL(`../../${document}`, import.meta.url), 'utf8'));

const MADE = ['docs/cli.md', 'docs/sql.md', 'docs/errors.md'];

function blocksOf(document: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: (Omit<Block, 'place' | 'document'> & { line: number; code: string }) | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *```((\w*).*)$/.exec(line);
    if (!fence) {
      if (open) open.code += `${line}\n`;
    } else if (open) {
      const { line: first, ...block } = open;
      blocks.push({ place: `${document}:${first}`, document, ...block });
      open = undefined;
    } else open = { line: index + 1, info: fence[1]!, language: fence[2]!, code: '' };
  }
  if (open) throw new Error(`${document}:${open.line} opens a block of code that does not end.`);
  return blocks;
}
