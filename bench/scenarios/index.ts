import { bulk } from './bulk.js';
import { burst, burstSingles } from './burst.js';
import { idle, resumeStorm } from './connections.js';
import { fanOut, fanOut5000, peers, users } from './fan-out.js';
import { oneClient } from './one-client.js';
import { hooks, storage } from './options.js';
import { concurrentPublishers, manyListeners, tableSize } from './publishers.js';
import { retention } from './retention.js';
import type { Scenario } from './scenario.js';

/** All there are, in the order in which they run. */
export const scenarios: Scenario[] = [
  oneClient,
  fanOut,
  burst,
  fanOut5000,
  users,
  burstSingles,
  ...concurrentPublishers,
  bulk,
  resumeStorm,
  idle,
  hooks,
  storage,
  peers,
  manyListeners,
  tableSize,
  retention,
];
