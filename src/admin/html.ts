import { html as template } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { printableLines } from '../lib/printable.js';

/** Markup in which every value has been escaped. */
export type Html = HtmlEscapedString;

/** Writes out invisible characters of a text. {@link Html} is a String object and no string, so it stays as it is. */
const shown = (value: unknown): unknown => {
  if (typeof value === 'string') return printableLines(value);
  return Array.isArray(value) ? value.map(shown) : value;
};

/** A template, html`<b>${name}</b>`: its values are escaped, unless they are {@link Html}. None of them may be a promise. */
export const html = (strings: TemplateStringsArray, ...values: unknown[]): Html =>
  template(strings, ...values.map(shown)) as HtmlEscapedString;
