import { html as template } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import { printableLines } from '../lib/printable.js';

/** Markup, in which every value was escaped. */
export type Html = HtmlEscapedString;

/** A text is shown with what is invisible in it; {@link Html} is a String object, and stays as it is. */
const shown = (value: unknown): unknown => {
  if (typeof value === 'string') return printableLines(value);
  return Array.isArray(value) ? value.map(shown) : value;
};

/** html`<b>${name}</b>`: a template whose values are escaped, unless they are {@link Html}. No value is a promise here. */
export const html = (strings: TemplateStringsArray, ...values: unknown[]): Html =>
  template(strings, ...values.map(shown)) as HtmlEscapedString;
