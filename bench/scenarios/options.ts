import { djr, djrWith, insertFloor, rawFloor } from '../systems/variants.js';
import { paced } from './paced.js';
import type { Scenario } from './scenario.js';

export const hooks: Scenario = {
  name: 'hooks',
  about:
    '1,000 clients, 20 events a second to everyone, with an onReceive and a beforeSend hook that let everything through.',
  size: { clients: 1000, seconds: 5, rounds: 3 },
  variants: [rawFloor, djr, djrWith('djr with hooks', [], { hooks: true })],
  columns: ['p50', 'p90', 'p99', 'max', 'cpu'],
  ratios: ['p50', 'p99', 'cpu'],
  long: true,
  run: (round) => paced(round, 20),
};

export const storage: Scenario = {
  name: 'storage-off',
  about: 'One client, 50 events a second to everyone, with storage on and off.',
  size: { clients: 1, seconds: 5, rounds: 5 },
  variants: [rawFloor, insertFloor, djr, djrWith('djr, storage off', ['select djr.configure(storage => false)'])],
  columns: ['p50', 'p90', 'p99', 'call'],
  ratios: ['p50', 'p99'],
  long: true,
  run: (round) => paced(round, 50),
};
