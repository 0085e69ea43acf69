import { type Beside, publishBeside } from '../load/beside.js';
import type { Sample } from '../metrics.js';
import { djrWith, type Variant } from '../systems/variants.js';
import { paced } from './paced.js';
import { closedLoop } from './publishers.js';
import type { Round, Scenario } from './scenario.js';

/** What is published beside what is measured, by the variant's name. */
const BESIDE = new Map<string, Beside>();

const beside = (variant: Variant, other: Beside): Variant => {
  BESIDE.set(variant.name, other);
  return variant;
};

async function withOther(round: Round, measure: () => Promise<Sample>): Promise<Sample> {
  const other = BESIDE.get(round.variant.name);
  if (!other) return measure();
  const end = await publishBeside(round.databaseUrl, other);
  try {
    return await measure();
  } finally {
    const { calls, dropped } = await end();
    process.stderr.write(`  ${round.variant.name}: ${calls} beside it, ${dropped} of them dropped\n`);
  }
}

const allowed = ['select djr.configure(max_bytes => 1048576)'];
const large = (bytes: number, rate: number): Beside => ({
  sql: `select djr.publish_public('large', jsonb_build_object('pad', repeat('x', ${bytes})))`,
  rate,
});

export const largeBeside: Scenario = {
  name: 'large',
  about: '100 clients, 50 small events a second to everyone, alone and beside large events to the same clients.',
  size: { clients: 100, seconds: 5, rounds: 3 },
  variants: [
    { ...djrWith('small alone', allowed), floor: true },
    beside(djrWith('10 of 64 kB a second', allowed), large(65_536, 10)),
    beside(djrWith('2 of 1 MB a second', allowed), large(1_000_000, 2)),
  ],
  columns: ['p50', 'p90', 'p99', 'max', 'cpu'],
  ratios: ['p50', 'p99'],
  long: true,
  run: (round) => withOther(round, () => paced(round, 50)),
};

const unstored: Beside = { sql: `select djr.publish_system('typing', '{"pad": ""}', store => false)`, rate: 5000 };
/** The same calls that publish nothing: what it takes of the machine to make them. */
const nothing: Beside = { sql: 'select 1 as id', rate: 5000 };

export const unstoredBeside: Scenario = {
  name: 'unstored',
  about:
    '16 publishers as fast as they are answered, alone and beside 5,000 calls a second: of an empty statement, and of publish with store => false.',
  size: { clients: 1, seconds: 4, rounds: 3 },
  variants: [
    { ...djrWith('djr alone', []), floor: true },
    { ...beside(djrWith('beside empty calls', []), nothing), floor: true },
    beside(djrWith('beside store => false', []), unstored),
  ],
  columns: ['published', 'call', 'call99'],
  ratios: ['published', 'call'],
  rest: 2500,
  long: true,
  run: (round) => withOther(round, () => closedLoop(round, 16)),
};
