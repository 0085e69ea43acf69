import { readFile } from 'node:fs/promises';

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
