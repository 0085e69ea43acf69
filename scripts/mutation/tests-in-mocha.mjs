/**
 * ava's tests, run by mocha. Stryker has a runner for mocha that keeps one process with everything loaded, switches mutants on in it and
 * runs only the tests that reach them; it has none for ava, where each mutant would be a start of Node, TypeScript and PostgreSQL's pools.
 * Assertions, teardowns and time-outs are ava's own code.
 */
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';

/**
 * Of ava's own class and of mocha, which have no types here, what is used.
 *
 * @typedef {{ message: string, cause?: { message: string }, formattedDetails?: { label: string, formatted: string }[] }} Failure
 * @typedef {{ passed: true } | { passed: false, error: Failure }} Result
 * @typedef {{ run(): Promise<Result>, saveFirstError(error: Error): void, finishDueToTimeout?(): void }} AvaTest
 * @typedef {{ it(title: string, run: (this: { skip(): void }) => Promise<void>): { title: string, file: string } }} Mocha
 */

/** @param {string} file @returns {Promise<unknown>} a file of a package, whether the package exports it or not */
const load = (file) => import(pathToFileURL(path.resolve('node_modules', file)).href);
const { default: Test } = /** @type {{ default: new (options: object) => AvaTest }} */ (await load('ava/lib/test.js'));
const { default: fc } = /** @type {{ default: typeof import('fast-check').default }} */ (
  await load('fast-check/lib/fast-check.js')
);
// That a property fails is enough to know: no smaller case is looked for.
fc.configureGlobal({ endOnFailure: true });

/**
 * Milliseconds in which nothing happens in the process until a test counts as one that waits in vain. A machine that is busy with
 * something else takes none of them.
 */
const MAX_IDLE = Number(process.env.DJR_MUTATION_IDLE ?? 8000);

// A test may put others in their place.
const { clearInterval, setInterval } = globalThis;

/** @param {AvaTest} test - fails it once it has waited in vain for so long @returns {() => void} stops to look */
function watch(test) {
  const began = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    if (performance.eventLoopUtilization(began).idle < MAX_IDLE) return;
    clearInterval(timer);
    test.saveFirstError(new Error('waits in vain'));
    test.finishDueToTimeout?.();
  }, 200);
  return () => clearInterval(timer);
}

/** @param {string} title @param {(t: unknown) => unknown} fn */
function declare(title, fn) {
  // Of the file that is being read: mocha has another one for each.
  const mocha = /** @type {Mocha} */ (/** @type {unknown} */ (globalThis));
  const declared = mocha.it(title, async function () {
    const context = { get: () => ({}), set() {}, copy: () => context };
    const test = new Test({
      contextRef: context,
      failWithoutAssertions: true,
      fn,
      metadata: { inline: false },
      title,
      registerUniqueTitle: () => true,
      notifyTimeoutUpdate() {},
    });
    const stop = watch(test);
    const result = await test.run();
    stop();
    if (result.passed) return;
    const { error } = result;
    // Of a file's tests, those that need a database are left out where there is none.
    if (/^No test server/.test(error.cause?.message ?? '')) this.skip();
    const details = (error.formattedDetails ?? []).map(({ label, formatted }) => `${label}\n${formatted}`);
    throw new Error([error.message, error.cause?.message, ...details].filter(Boolean).join('\n').slice(0, 1000));
  });
  // Stryker knows a test by its title alone.
  declared.title = `${path.relative('test', declared.file)} ${title}`;
}

export default Object.assign(declare, { serial: declare, skip() {} });
