/**
 * What is mutated together, and the tests that must notice. The files of a room's own folder of tests come first: with the
 * first failure a mutant is done with.
 */
export const ROOMS = {
  event: {
    mutate: ['src/event/*.ts'],
    tests: ['test/event/*.test.ts', 'test/stream/ahead.test.ts'],
  },
  stream: {
    mutate: ['src/stream/**/*.ts'],
    tests: ['test/stream/*.test.ts'],
  },
  clients: {
    mutate: ['src/clients/**/*.ts'],
    tests: ['test/clients/**/*.test.ts', 'test/http/limits.test.ts', 'test/stream/hooks.test.ts'],
  },
  guards: {
    mutate: ['src/http/guards/*.ts'],
    tests: [
      'test/http/{origins,guards,trusted-proxies,places,limits,refusals,authenticate,authenticate-errors,identity,expires}.test.ts',
    ],
  },
};
