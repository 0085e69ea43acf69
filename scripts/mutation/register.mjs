/**
 * Loaded into the process that runs the tests: `import test from 'ava'` gets tests-in-mocha.mjs, as one process that stays has no use
 * for ava's own runner.
 */
import { register } from 'node:module';

const hooks = `export const resolve = (specifier, context, next) => specifier === 'ava'
  ? { url: ${JSON.stringify(new URL('./tests-in-mocha.mjs', import.meta.url).href)}, format: 'module', shortCircuit: true }
  : next(specifier, context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
