import type { Meter } from '../lib/meter.js';
import type { Finding } from './finding.js';

/**
 * A part of an instance that works by itself. `src/runtime/stages.ts` lists the parts that an instance has; whoever is in the list is
 * started, stopped, measured and asked for its health.
 */
export interface Stage {
  /** Called once events flow, and again where an earlier start has failed. */
  start?(): void;
  /** Resolves when nothing of it runs any more. */
  stop?(): Promise<void> | void;
  /** Registers its metrics, once. */
  metrics?(meter: Meter): void;
  /** How healthy it is, from what it remembers: it asks nobody. */
  findings?(): Finding[];
}
