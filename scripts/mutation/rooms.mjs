/**
 * What is mutated together, and the tests that must notice: those without a database first, as the first failure is enough. Stryker
 * runs only those that reach a mutant. Left out are tests that take seconds, and those whose process is under load on purpose.
 */

/** @typedef {{ mutate: string[], tests: string[] }} Room */

/** @param {string} folder @param {string} names @returns {string[]} */
const testsOf = (folder, names) => names.split(' ').map((name) => `test/${folder}/${name}.test.ts`);

const EVENT_UNITS = [
  ...testsOf('event', 'envelope audience-keys frame-forms position short-snapshot position-properties'),
  ...testsOf('stream', 'ahead properties'),
];
const STREAM_UNITS = testsOf('stream', 'history backlog feed subscription resumption');
const CLIENT_UNITS = [
  ...testsOf('clients', 'client keeper hub audience-index audience-memory'),
  ...testsOf('clients/topics', 'orders'),
];

const PAGE = ['awaited', 'connection', 'frame', 'lines', 'reset', 'seen', 'stream', 'told'];

/** @type {Record<string, Room>} */
export const ROOMS = {
  event: {
    mutate: ['src/event/*.ts'],
    tests: [...EVENT_UNITS, ...STREAM_UNITS, ...CLIENT_UNITS, ...testsOf('event', 'user-id audience details frames')],
  },
  guards: {
    mutate: ['src/http/guards/*.ts'],
    tests: testsOf(
      'http',
      'guard-rules trusted-proxies origins guards authenticate authenticate-errors refusals identity expires places limits',
    ),
  },
  clients: {
    mutate: ['src/clients/*.ts'],
    tests: [
      ...CLIENT_UNITS,
      ...STREAM_UNITS,
      ...testsOf('event', 'frames'),
      ...testsOf('clients', 'slow-client'),
      ...testsOf('stream', 'hooks'),
      ...testsOf('http', 'heartbeats'),
    ],
  },
  topics: {
    mutate: ['src/clients/topics/*.ts'],
    tests: [...CLIENT_UNITS, ...testsOf('clients/topics', 'topics presence attacks moves resume')],
  },
  stream: {
    mutate: ['src/stream/*.ts'],
    tests: [
      ...EVENT_UNITS,
      ...STREAM_UNITS,
      ...testsOf('stream', 'guards hooks behind-storage unstored storage-off since'),
      ...testsOf('event', 'frames'),
    ],
  },
  resume: {
    mutate: ['src/stream/resume/*.ts'],
    tests: [
      ...EVENT_UNITS,
      ...STREAM_UNITS,
      ...testsOf('stream', 'resume resume-reset since storage-gaps unstored storage-off'),
    ],
  },
  page: {
    // What needs a browser to show anything (script tags, frameworks) is tested in Chromium, and not here.
    mutate: [...PAGE.map((name) => `src/browser/${name}.ts`), 'src/browser/tabs/*.ts'],
    tests: testsOf('browser/units', 'frame connection tabs'),
  },
};
