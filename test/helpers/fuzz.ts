import type { Parameters } from 'fast-check';

const { DJR_FUZZ_CASES, DJR_FUZZ_SEED } = process.env;
/** The suite tries the same cases each time, so that it fails for what was changed; who asks for more cases gets other ones. */
const seed = DJR_FUZZ_SEED ? Number(DJR_FUZZ_SEED) : DJR_FUZZ_CASES ? Math.floor(Math.random() * 2 ** 31) : 1;
if (DJR_FUZZ_CASES) process.stderr.write(`DJR_FUZZ_SEED=${seed}, ${DJR_FUZZ_CASES} cases for each property\n`);

/**
 * How many cases a property is tried with: few in the suite, `DJR_FUZZ_CASES` of them in `npm run test:fuzz`. The seed is
 * printed there, and with each failure; `DJR_FUZZ_SEED` brings it back.
 */
export const cases = <T>(few: number): Parameters<T> => ({
  numRuns: DJR_FUZZ_CASES ? Number(DJR_FUZZ_CASES) : few,
  seed,
});
