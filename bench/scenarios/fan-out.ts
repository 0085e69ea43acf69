import { betterSse, djr, djrWith, httpFloor, insertFloor, rawFloor, socketIo } from '../systems/variants.js';
import { paced } from './paced.js';
import type { Scenario } from './scenario.js';

const base: Omit<Scenario, 'name' | 'about' | 'size' | 'variants'> = {
  columns: ['p50', 'p90', 'p99', 'max', 'deliveries', 'cpu', 'heapEach', 'late'],
  ratios: ['p50', 'p99', 'cpu'],
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

const among = (clients: number) => ({ ...djrWith(`among ${clients.toLocaleString('en')}`, []), clients });

export const oneAmongMany: Scenario = {
  ...base,
  name: 'one-among-many',
  about: 'Events for one user each, 200 a second, with 100 clients connected and with 10,000.',
  size: { clients: 100, seconds: 5, rounds: 3 },
  variants: [{ ...among(100), floor: true }, among(10_000)],
  columns: ['p50', 'p90', 'p99', 'max', 'cpu', 'late'],
  long: true,
  run: (round) => paced(round, 200, { toUsers: true }),
};

export const twoInstances: Scenario = {
  ...base,
  name: 'two-instances',
  about:
    '1,000 clients, 20 events a second to everyone, on one instance and on two that share a process and the clients.',
  size: { clients: 1000, seconds: 5, rounds: 3 },
  variants: [{ ...djr, floor: true }, djrWith('two instances', [], { instances: 2 })],
  long: true,
};

export const activity: Scenario = {
  ...base,
  name: 'activity',
  about:
    '1,000 clients, 20 events a second to everyone, with activity off, summary (a row an event) and full (a row a client).',
  size: { clients: 1000, seconds: 5, rounds: 5 },
  variants: ['off', 'summary', 'full'].map((level) => ({
    ...djrWith(level, [`select djr.configure(activity => '${level}')`]),
    floor: level === 'off',
  })),
  ratios: ['cpu', 'p50', 'p99'],
  long: true,
};
