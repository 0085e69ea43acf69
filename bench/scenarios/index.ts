import { allocations } from './allocations.js';
import { largeBeside, unstoredBeside } from './beside.js';
import { bulk } from './bulk.js';
import { burst, burstSingles, peersBurst } from './burst.js';
import { idle, idleTopics, resumeStorm } from './connections.js';
import { activity, fanOut, fanOut5000, oneAmongMany, peers, twoInstances, users } from './fan-out.js';
import { oneClient } from './one-client.js';
import { hooks, storage } from './options.js';
import { concurrentPublishers, manyListeners, tableSize, tableSizeMost } from './publishers.js';
import { range } from './range.js';
import { relayScenarios } from './relay.js';
import { retention } from './retention.js';
import { roomChanges } from './room-changes.js';
import { rowTrigger } from './row-trigger.js';
import type { Scenario } from './scenario.js';
import { storms } from './storms.js';
import { topics, topicToMany } from './topics.js';
import { transports } from './transports.js';

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
  rowTrigger,
  resumeStorm,
  storms,
  idle,
  idleTopics,
  range,
  transports,
  allocations,
  hooks,
  storage,
  activity,
  twoInstances,
  oneAmongMany,
  topics,
  topicToMany,
  roomChanges,
  largeBeside,
  unstoredBeside,
  peers,
  peersBurst,
  manyListeners,
  tableSize,
  tableSizeMost,
  retention,
  ...relayScenarios,
];

const chosen = (name: string, size: Partial<Scenario['size']>, ...variants: string[]): Scenario => {
  const scenario = scenarios.find((one) => one.name === name)!;
  return {
    ...scenario,
    size: { ...scenario.size, ...size },
    variants: scenario.variants.filter((one) => variants.length === 0 || variants.includes(one.name)),
  };
};

/** What the targets (report/targets.ts) are measured by, each as short as it can be: under twenty minutes in all. */
const targeted: Scenario[] = [
  chosen('one-client', { seconds: 4, rounds: 5 }),
  chosen('fan-out', { seconds: 4, rounds: 5 }, 'raw floor', 'djr'),
  chosen('burst-singles', { rounds: 3 }, 'raw floor', 'better-sse', 'djr'),
  chosen('burst', { rounds: 3 }, 'raw floor', 'better-sse', 'djr'),
  chosen(
    'publishers-16-slow-commits',
    { seconds: 4, rounds: 3 },
    'bare INSERT',
    'function that inserts',
    'INSERT with an empty trigger',
    'INSERT and NOTIFY',
    'djr, auto',
    'djr, auto, by INSERT',
    'djr, auto, no activity',
  ),
  chosen(
    'publishers-64-slow-commits',
    { seconds: 4, rounds: 3 },
    'bare INSERT',
    'function that inserts',
    'INSERT with an empty trigger',
    'INSERT and NOTIFY',
    'djr, auto',
    'djr, auto, by INSERT',
    'djr, auto, no activity',
  ),
  chosen(
    'publishers-16',
    { seconds: 4, rounds: 5 },
    'bare INSERT',
    'function that inserts',
    'INSERT with an empty trigger',
    'INSERT and NOTIFY',
    'djr, auto',
    'djr, auto, by INSERT',
    'djr, auto, no activity',
  ),
  chosen('bulk', { rounds: 5 }),
  chosen('idle', { rounds: 3 }, 'node:http floor', 'djr'),
  chosen('resume-storm', { rounds: 5 }),
  chosen('activity', { seconds: 4, rounds: 5 }, 'off', 'summary'),
  chosen('table-size-10m', { seconds: 4, rounds: 5 }),
  chosen('one-among-many', { seconds: 4, rounds: 3 }),
  chosen('topics', { seconds: 4, rounds: 3 }),
  chosen('topic-to-many', { seconds: 4, rounds: 5 }),
  chosen('room-changes', { rounds: 3 }),
];

/** Whether a change cost something, in two minutes: the ceilings, and what delivers beside its floor. */
const quick: Scenario[] = [
  chosen('one-client', { seconds: 2, rounds: 3 }),
  chosen('fan-out', { seconds: 2, rounds: 2 }, 'raw floor', 'djr'),
  chosen('burst-singles', { rounds: 1 }, 'raw floor', 'djr'),
  chosen(
    'publishers-16',
    { seconds: 2, rounds: 2 },
    'bare INSERT',
    'function that inserts',
    'INSERT with an empty trigger',
    'djr, auto',
    'djr, auto, by INSERT',
  ),
  chosen('bulk', { rounds: 3 }, 'bare INSERT', 'bulk INSERT, read once', 'djr.publish_many'),
  chosen('idle', { rounds: 1 }, 'node:http floor', 'djr'),
];

/** What one process carries, and what it costs by which way: a quarter of an hour. */
const carried: Scenario[] = [
  'range',
  'transports',
  'storms-10000',
  'row-trigger',
  'large',
  'topics',
  'allocations',
].map((name) => chosen(name, {}));

/** Named choices among them. */
export const sets: Record<string, Scenario[]> = { final: targeted, quick, range: carried, relay: relayScenarios };
