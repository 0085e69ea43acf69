/**
 * Characters that a terminal or a page acts on instead of showing them: controls (newline and escape among them), what turns
 * the direction of a text, what has no width, and separators of lines. With them a text looks like another one. (What makes a sign an emoji is harmless.)
 */
const INVISIBLE = /(?![\ufe0e\ufe0f])[\p{Cc}\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
};

/** A text with its invisible characters written out as `\u202e`, for a log or a page that somebody relies on. */
export const printable = (text: string): string => text.replace(INVISIBLE, escaped);

/** As {@link printable}, for a text of several lines. */
export const printableLines = (text: string): string =>
  text.replace(INVISIBLE, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
