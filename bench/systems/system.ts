import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { memoryUsage } from 'node:process';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Protocol } from '../load/stream.js';

export interface SystemOptions {
  databaseUrl: string;
  /** Floors only: drop every so many-th delivery, to prove that the benchmark sees loss. */
  dropEvery?: number;
  /** Floors only: LISTEN connections in all, of which one delivers. */
  listeners?: number;
  /** djr only: with an `onReceive` and a `beforeSend` hook that let everything through. */
  hooks?: boolean;
  /** djr only: instances in the process, among which clients are dealt out. */
  instances?: number;
  /** djr and Socket.IO: each client hears one topic, there a room. */
  topics?: boolean;
  /**
   * relay only. `stamped`: the source that writes and the first edge remember when each had an event. No edges: the sources are instances
   * without a relay, of which the first serves clients.
   */
  relay?: { sources?: number; edges?: number; interest?: 'all' | 'own'; stamped?: boolean };
  /** djr only: topics that each client hears; `own`: nobody else hears them, else each is heard by many. */
  topicsEach?: { count: number; own: boolean };
  /** djr only: the function of the setting `authorize_topic` says who may hear them, and no option. */
  askInSql?: boolean;
  /** djr only: sweep interval in milliseconds. */
  sweepInterval?: number;
  /** djr only: milliseconds between two rounds of pruning. */
  pruneInterval?: number;
  /** djr only: events kept in memory. */
  historyEvents?: number;
  /** djr only: what it is served by. @defaultValue `http` */
  transport?: Transport;
  /** djr only: streams that share a connection of HTTP/2. */
  perConnection?: number;
  /** djr only: how it learns whose a stream is. @defaultValue by `?user=` */
  login?: 'jwt' | 'session';
  /** djr only: says errors alone, where warnings are what is brought about. */
  errorsOnly?: boolean;
}

/** node:http, node:https or node:http2; or a proxy with TLS in front of node:http. */
export type Transport = 'http' | 'https' | 'http2' | 'nginx' | 'haproxy';

export interface Address {
  port: number;
  /** `USER` in it stands for the user's number, `ROOM` for that of its topic. */
  path: string;
  protocol?: Protocol;
  /** Streams that share a connection of HTTP/2. */
  perConnection?: number;
}

export interface Usage {
  /** Bytes, after a garbage collection. */
  rss: number;
  /** What is outside of V8's own heap, buffers for the most part, is in it. */
  heap: number;
  /** That part alone. */
  external: number;
  /** What keeps the process alive, by kind: sockets, timers. */
  resources: Record<string, number>;
  /** Processor time since the process began, microseconds: with which what was measured ends. */
  cpu: number;
  /** The same when the collections of this look are done: with which what is measured next begins. */
  cpuBehind: number;
  /** The longest collection that nobody forced, since the process began, milliseconds. */
  pause: number;
  /** Collections that nobody forced, since the process began. */
  collections: number;
  /** Bytes among V8's youngest, where all begins, before the collections of this look and behind them. */
  young: number;
  youngBehind: number;
  /** What a proxy in front of it takes, where there is one: bytes, and microseconds since it began. */
  proxy?: { rss: number; cpu: number };
  /** Statements sent to the database since it began, where they are counted. */
  statements?: number;
}

/** A server under test: djr, a floor or a peer, in a process of its own. */
export interface System {
  listen(options: SystemOptions): Promise<Address>;
  usage(argument: null): Promise<Usage>;
  /** Bytes that it holds now, without a collection. */
  resident(argument: null): Promise<number>;
  /** djr only: as a deploy ends an instance. Streams are told when to come back, and end. */
  stop?(argument: null): Promise<void>;
}

/** Collections that nobody forced: how many, and the longest in milliseconds. */
let collections = 0;
let pause = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { duration, detail } = entry as PerformanceEntry & { detail: { flags: number } };
    const { flags } = detail;
    if ((flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) continue;
    pause = Math.max(pause, duration);
    collections += 1;
  }
}).observe({ entryTypes: ['gc'] });

/** What is the same for all: how much this process uses. */
export async function usage(_argument: null): Promise<Usage> {
  const cpu = processorTime();
  const made = young();
  // Collections are told of in a turn of their own.
  await new Promise((resolve) => setTimeout(resolve, 1));
  // Twice: what the first collection finalises, the second frees.
  global.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
  global.gc?.();
  const { rss, heapUsed, external } = memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    rss,
    heap: heapUsed + external,
    external,
    resources,
    cpu,
    cpuBehind: processorTime(),
    pause,
    collections,
    young: made,
    youngBehind: young(),
  };
}

/** What is the same for all: bytes now, garbage included. */
export const resident = async (_argument: null): Promise<number> => memoryUsage.rss();

const young = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_used_size ?? 0;

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The channel of the floors and of peers that have none of their own. */
export const CHANNEL = 'bench';
