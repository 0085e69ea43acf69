import { burst, burstSingles } from './burst.js';
import { fanOut, fanOut5000, peers, users } from './fan-out.js';
import { oneClient } from './one-client.js';
import type { Scenario } from './scenario.js';

/** All there are, in the order in which they run. */
export const scenarios: Scenario[] = [oneClient, fanOut, burst, fanOut5000, users, burstSingles, peers];
