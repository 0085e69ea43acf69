import { merge, percentiles } from '../load/histogram.js';
import type { Publisher } from '../load/publisher.js';
import type { ConnectOptions, Readers } from '../load/readers.js';
import type { Received } from '../load/tally.js';
import type { Metric, Sample } from '../metrics.js';
import type { Remote } from '../remote.js';
import type { Address, System } from '../systems/system.js';
import type { Variant } from '../systems/variants.js';

/** What is being run, and how much of it. */
export interface Size {
  clients: number;
  seconds: number;
  rounds: number;
}

/** All that one round of one variant works with. */
export interface Round extends Size {
  variant: Variant;
  databaseUrl: string;
  readers: Remote<Readers>;
  publisher: Remote<Publisher>;
  /** The server under test; none where only publishing is measured. */
  system?: { remote: Remote<System>; address: Address };
  /** Says what a long round does now. */
  step(what: string): void;
}

export interface Scenario {
  name: string;
  /** One sentence: the work, and what is measured. */
  about: string;
  size: Size;
  variants: Variant[];
  /** The first is the headline: its ratio to the floors is in the table. */
  columns: Metric[];
  ratios: Metric[];
  /** The server under test is started anew for each round: memory that was freed is not memory that was never taken. */
  fresh?: boolean;
  /** Milliseconds before each round, for servers that were measured before to come to rest. */
  rest?: number;
  /** Left out of a plain `npm run bench`. */
  long?: boolean;
  /** The variants for `--clients`, where these are what the variants differ in. */
  among?(clients: number): Variant[];
  /** Why this machine cannot run a variant, with what must be set for it; undefined: it can. */
  hindrance?(variant: Variant): string | undefined;
  run(round: Round): Promise<Sample>;
}

/** Opens the clients of a round, with the target taken from the system's address. */
export async function connectClients(round: Round, more: Partial<ConnectOptions> = {}) {
  const { port, path, protocol, perConnection } = round.system!.address;
  return round.readers.connect({ port, path, protocol, perConnection, clients: round.clients, ...more });
}

/** What is wrong with a round. */
export function failuresOf(received: Received): string[] {
  const failures: string[] = [];
  if (received.missing !== 0) failures.push(`${received.missing} of ${received.deliveries + received.missing} missing`);
  if (received.repeated > 0) failures.push(`${received.repeated} repeated`);
  if (received.foreign > 0) failures.push(`${received.foreign} of another user`);
  if (received.closed > 0) failures.push(`${received.closed} connections closed`);
  return failures;
}

/** The four delays of a round. */
export const delayMetrics = (received: Received) => percentiles(merge([received.delays]));
