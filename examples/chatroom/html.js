// @ts-check

/** Markup that needs no more escaping. */
export class Html {
  /** @param {string} markup */
  constructor(markup) {
    this.markup = markup;
  }
}

/** @type {Record<string, string>} */
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * Whatever a user wrote is text. Only what the tag itself made is markup.
 *
 * @param {unknown} value
 * @returns {string}
 */
function render(value) {
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map(render).join('');
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'object') return render(JSON.stringify(value));
  return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/**
 * html`<b>${name}</b>`: a template whose values are escaped.
 *
 * @param {TemplateStringsArray} strings
 * @param {unknown[]} values
 */
export const html = (strings, ...values) => new Html(String.raw({ raw: strings }, ...values.map(render)));

/**
 * Markup from a source that we trust, such as djr's own script tag.
 *
 * @param {string} markup
 */
export const trusted = (markup) => new Html(markup);
