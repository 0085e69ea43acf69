import { betterSse, djr, httpFloor, insertFloor, rawFloor, socketIo } from '../systems/variants.js';
import { paced } from './paced.js';
import type { Scenario } from './scenario.js';

const base: Omit<Scenario, 'name' | 'about' | 'size' | 'variants'> = {
  columns: ['p50', 'p90', 'p99', 'max', 'deliveries', 'cpu', 'heapEach', 'late'],
  ratios: ['p50', 'p99'],
  run: (round) => paced(round, 20),
};

export const fanOut: Scenario = {
  ...base,
  name: 'fan-out',
  about: '1,000 clients, 20 events a second to everyone: the delay from the publish call to each frame parsed.',
  size: { clients: 1000, seconds: 5, rounds: 5 },
  variants: [rawFloor, insertFloor, djr],
};

export const fanOut5000: Scenario = {
  ...base,
  name: 'fan-out-5000',
  about: '5,000 clients, 5 events a second to everyone.',
  size: { clients: 5000, seconds: 5, rounds: 3 },
  variants: [rawFloor, insertFloor, djr],
  long: true,
  run: (round) => paced(round, 5),
};

export const peers: Scenario = {
  ...base,
  name: 'peers',
  about:
    '1,000 clients, 20 events a second to everyone, beside the peers: better-sse and Socket.IO on the same database.',
  size: { clients: 1000, seconds: 5, rounds: 3 },
  variants: [rawFloor, httpFloor, betterSse, socketIo, djr],
  long: true,
};

export const users: Scenario = {
  ...base,
  name: 'users',
  about: '1,000 clients, each its own user; 200 events a second, each for one user.',
  size: { clients: 1000, seconds: 5, rounds: 3 },
  variants: [rawFloor, insertFloor, djr],
  long: true,
  run: (round) => paced(round, 200, { toUsers: true }),
};
