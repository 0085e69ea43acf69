/**
 * What is mutated together, and the tests that must notice: `units` need no database, and run first; what survives them is for `tests`.
 * Stryker runs only those that reach a mutant. Left out are tests that take many seconds, and those whose process is under load on purpose.
 */

/** @typedef {{ mutate: string[], units: string[], tests: string[] }} Room */

/** @param {string} folder @param {string} names @returns {string[]} */
const testsOf = (folder, names) => names.split(' ').map((name) => `test/${folder}/${name}.test.ts`);

const EVENT_UNITS = [
  ...testsOf(
    'event',
    'envelope audience-keys frame-forms position xid-list ahead-runs short-snapshot user-id position-properties',
  ),
  ...testsOf('stream', 'ahead properties'),
];
const STREAM_UNITS = testsOf(
  'stream',
  'history backlog feed feed-bounds subscription resumption resumption-ways resume-origins beginnings leaving-order sender storage-reader shared-reading hook-rules delivery',
);
const CLIENT_UNITS = [
  ...testsOf('clients', 'client client-writes keeper sending hub audience-index audience-memory'),
  ...testsOf('clients/topics', 'orders seals seal-ends rules presence-rules authorizer'),
];

const PAGE = ['awaited', 'connection', 'frame', 'lines', 'reset', 'seen', 'stream', 'told'];

/** @type {Record<string, Room>} */
export const ROOMS = {
  event: {
    mutate: ['src/event/*.ts'],
    units: [...EVENT_UNITS, ...STREAM_UNITS, ...CLIENT_UNITS],
    tests: testsOf('event', 'audience details frames'),
  },
  guards: {
    mutate: ['src/http/guards/*.ts'],
    units: testsOf('http', 'origin-rules limit-rules proxy-rules login-rules entrance-rules sender-rules'),
    tests: testsOf(
      'http',
      'trusted-proxies origins guards authenticate authenticate-errors refusals identity expires places limits',
    ),
  },
  clients: {
    mutate: ['src/clients/*.ts'],
    units: [...CLIENT_UNITS, ...STREAM_UNITS],
    tests: [
      ...testsOf('event', 'frames'),
      ...testsOf('clients', 'slow-client'),
      ...testsOf('stream', 'hooks'),
      ...testsOf('http', 'heartbeats'),
    ],
  },
  topics: {
    mutate: ['src/clients/topics/*.ts'],
    units: CLIENT_UNITS,
    tests: testsOf('clients/topics', 'topics presence attacks moves resume'),
  },
  stream: {
    mutate: ['src/stream/*.ts'],
    units: [...EVENT_UNITS, ...STREAM_UNITS],
    tests: [
      ...testsOf('stream', 'guards hooks behind-storage unstored storage-off since'),
      ...testsOf('event', 'frames'),
    ],
  },
  resume: {
    mutate: ['src/stream/resume/*.ts'],
    units: [...EVENT_UNITS, ...STREAM_UNITS],
    tests: testsOf('stream', 'resume resume-reset since storage-gaps unstored storage-off'),
  },
  page: {
    // What needs a browser to show anything (script tags, frameworks) is tested in Chromium, and not here.
    mutate: [...PAGE.map((name) => `src/browser/${name}.ts`), 'src/browser/tabs/*.ts'],
    units: testsOf(
      'browser/units',
      'frame reset tabs leader connection attempts stream lines told topics shared group turns',
    ),
    tests: [],
  },
};
