/**
 * Sentences for people are not mutated: messages of errors, hints, lines of logs, details of refusals, descriptions of metrics. Another
 * wording is no other behaviour. Codes, keys, names and headers have no space in them, or stand elsewhere, and are mutated.
 */
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

const CALLS = /^(?:\w*Error|say|debug|info|warn|error|problem|(?:counter|gauge|histogram)s?)$/;

/**
 * Of Babel's nodes and paths, what is looked at here.
 *
 * @typedef {{ type: string, value?: string, quasis?: { value: { raw: string } }[], callee?: Callee }} Node
 * @typedef {{ name?: string, property?: { name?: string } }} Callee
 * @typedef {{ node: Node, parentPath: Path | null, isFunction(): boolean, isCallExpression(): boolean, isNewExpression(): boolean }} Path
 */

/** @param {Node} node @returns {boolean} */
const isSentence = ({ type, value = '', quasis = [] }) =>
  type === 'StringLiteral'
    ? value.includes(' ')
    : type === 'TemplateLiteral' && quasis.some((part) => part.value.raw.includes(' '));

/** @param {Path} path @returns {boolean} whether it is an argument of one of those calls, or within one */
function isTold(path) {
  for (let at = path.parentPath; at && !at.isFunction(); at = at.parentPath) {
    if (!at.isCallExpression() && !at.isNewExpression()) continue;
    const { callee } = at.node;
    if (CALLS.test(callee?.name ?? callee?.property?.name ?? '')) return true;
  }
  return false;
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'words', {
    shouldIgnore(babelPath) {
      const path = /** @type {Path} */ (babelPath);
      return isSentence(path.node) && isTold(path) ? 'words for people' : undefined;
    },
  }),
];
