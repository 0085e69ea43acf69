/**
 * Characters that a terminal or a page does not show but acts on: controls (newline and escape among them), characters that change the
 * direction of a text or have no width, and line separators. With them a text can look like another one. (The selector that makes a sign
 * an emoji is harmless and left out.)
 */
const INVISIBLE = /(?![\ufe0e\ufe0f])[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
};

/** Writes the invisible characters of a text out as `\u202e`, for logs and pages that must not deceive. */
export const printable = (text: string): string => text.replace(INVISIBLE, escaped);

/** As {@link printable}, but keeps the line breaks of a text with several lines. */
export const printableLines = (text: string): string =>
  text.replace(INVISIBLE, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
