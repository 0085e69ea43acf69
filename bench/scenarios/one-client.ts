import { djr, insertFloor, rawFloor } from '../systems/variants.js';
import { paced } from './paced.js';
import type { Scenario } from './scenario.js';

export const oneClient: Scenario = {
  name: 'one-client',
  about: 'One client, 50 events a second to everyone: the delay from the publish call to the frame parsed.',
  size: { clients: 1, seconds: 5, rounds: 5 },
  variants: [rawFloor, insertFloor, djr],
  columns: ['p50', 'p90', 'p99', 'max', 'deliveries', 'call', 'late'],
  ratios: ['p50', 'p99'],
  run: (round) => paced(round, 50),
};
