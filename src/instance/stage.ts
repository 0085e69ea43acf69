import type { Meter } from '../lib/meter.js';
import type { Finding } from './finding.js';

/**
 * A part of an instance that works by itself. The lists in `src/runtime/stages.ts` have all parts of an instance: each of them is started,
 * stopped, measured and asked for its health.
 */
export interface Stage {
  /** Called when events flow, and again if the instance was started anew after a failed start. */
  start?(): void;
  /** Resolves when nothing of it runs any more. */
  stop?(): Promise<void> | void;
  /** Registers its metrics, once. */
  metrics?(meter: Meter): void;
  /** Its health, from what it remembers: it asks nobody. */
  findings?(): Finding[];
}
