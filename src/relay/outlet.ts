import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { LogStatus } from './checkpoint.js';

/** The instance on PostgreSQL whose events the writer brings into the log. */
export interface Outlet {
  /** Which history of the database it is. */
  epoch(): string;
  status(): LogStatus;
  /** All that is visible in it has been delivered. */
  reached(): Frontier;
  /** Resolves when all that is visible now has been delivered. */
  catchUp(): Promise<void>;
  /**
   * Reads from storage what is new since a frontier, orders included and what is for the backend only left out.
   *
   * @returns the snapshot that it was read in, or why it cannot be had
   */
  readSince(since: Frontier, onBatch: (envelopes: Envelope[]) => void): Promise<Frontier | { reset: string }>;
}
