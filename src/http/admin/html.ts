import { html as template } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** Markup, in which every value was escaped. */
export type Html = HtmlEscapedString;

/** html`<b>${name}</b>`: a template whose values are escaped, unless they are {@link Html}. No value is a promise here. */
export const html = (strings: TemplateStringsArray, ...values: unknown[]): Html =>
  template(strings, ...values) as HtmlEscapedString;
