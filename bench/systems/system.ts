import { memoryUsage } from 'node:process';

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
  /** djr only: sweep interval in milliseconds. */
  sweepInterval?: number;
  /** djr only: milliseconds between two rounds of pruning. */
  pruneInterval?: number;
  /** djr only: events kept in memory. */
  historyEvents?: number;
  /** djr only: says errors alone, where warnings are what is brought about. */
  errorsOnly?: boolean;
}

export interface Address {
  port: number;
  /** `USER` in it stands for the user's number, `ROOM` for that of its topic. */
  path: string;
  protocol?: 'sse' | 'socket.io';
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
  /** Statements sent to the database since it began, where they are counted. */
  statements?: number;
}

/** A server under test: djr, a floor or a peer, in a process of its own. */
export interface System {
  listen(options: SystemOptions): Promise<Address>;
  usage(argument: null): Promise<Usage>;
}

/** What is the same for all: how much this process uses. */
export async function usage(_argument: null): Promise<Usage> {
  const cpu = processorTime();
  // Twice: what the first collection finalises, the second frees.
  global.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
  global.gc?.();
  const { rss, heapUsed, external } = memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { rss, heap: heapUsed + external, external, resources, cpu, cpuBehind: processorTime() };
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The channel of the floors and of peers that have none of their own. */
export const CHANNEL = 'bench';
