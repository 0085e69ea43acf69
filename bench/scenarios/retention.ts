import { djrWith } from '../systems/variants.js';
import { filled } from './filled.js';
import { paced } from './paced.js';
import type { Scenario } from './scenario.js';

const keepADay = "select djr.configure(retention => '1 day', delivery => 'sweep')";

export const retention: Scenario = {
  name: 'retention',
  about:
    '2,000 events a second from 16 publishers to one client, while the runtime prunes a million expired events, and while there is nothing to prune.',
  size: { clients: 1, seconds: 6, rounds: 3 },
  variants: [
    { ...djrWith('nothing expired', [keepADay], { pruneInterval: 50 }), floor: true },
    djrWith('1,000,000 expired', [...filled(1_000_000, '2 days'), keepADay], { pruneInterval: 50 }),
  ],
  columns: ['p50', 'p90', 'p99', 'max', 'call', 'late'],
  ratios: ['p50', 'p99', 'call'],
  long: true,
  run: (round) => paced(round, 2000, { connections: 16 }),
};
