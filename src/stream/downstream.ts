import type { ActivityLevel } from '../activity/counter.js';
import type { Envelope } from '../event/envelope.js';
import type { History } from './history.js';

/** The instance as its source sees it: what a source gives events to, and tells of changes. */
export interface Downstream {
  /**
   * The recent events. The source says from which transaction on the history is complete (`startAt`, `markIncompleteBefore`),
   * whether events are stored at all (`stored`), and when PostgreSQL was started (`restarted`).
   */
  readonly history: History;

  /** The stored event that was delivered last. */
  readonly newest: Envelope | undefined;

  /**
   * The next event. It asks the source for the event's number and id once the event is sure to go on.
   *
   * @returns a promise where a hook takes its time: the event behind it may come when that has resolved
   */
  deliver(envelope: Envelope): void | Promise<void>;

  /**
   * Puts events from before the start into the history, oldest first.
   *
   * @returns how many of the newest the history knows of now
   */
  remember(stored: readonly Envelope[]): Promise<number>;

  /** How much is recorded of what becomes of each event, as the setting `activity` says it. */
  setActivity(level: ActivityLevel): void;

  /** Who hears these topics has changed; null: more than could be named. */
  presenceChanged(topics: readonly string[] | null): void;

  /** What the source tells of may have been missed: presence is told and read anew. */
  reconnected(): void;

  /** Something may be missing that is not in history: every client is ended, and comes back with what it has. */
  interrupted(): void;

  /** The database was replaced or restored, and ids from before mean nothing any more: every client is told `reset`. */
  replaced(): void;
}
