import type { ActivityLevel } from '../activity/counter.js';
import type { Envelope } from '../event/envelope.js';
import type { History } from './history.js';

/** The part of an instance that a source calls: it delivers events to it and reports changes. */
export interface Downstream {
  /**
   * The recent events. The source sets from which transaction on the history is complete (`startAt`, `markIncompleteBefore`),
   * whether events are stored at all (`stored`), and when PostgreSQL was started (`restarted`).
   */
  readonly history: History;

  /** The stored event that was delivered last. */
  readonly newest: Envelope | undefined;

  /**
   * Delivers the next event. Once it is certain that `onReceive` lets the event through, the source is asked for its number and id.
   *
   * @returns a promise if a hook takes its time: the source must wait for it before it delivers the next event
   */
  deliver(envelope: Envelope): void | Promise<void>;

  /**
   * Puts events from before the start into the history, oldest first.
   *
   * @returns how many of them, counted from the newest, the history covers now
   */
  remember(stored: readonly Envelope[]): Promise<number>;

  /** The setting `activity` has this value now. */
  setActivity(level: ActivityLevel): void;

  /** The users of these topics have changed; null: too many topics to be named. */
  presenceChanged(topics: readonly string[] | null): void;

  /** The source was disconnected and may have missed messages: presence is written and read again. */
  reconnected(): void;

  /** Events may be missing that are not in history: every stream is ended, and the clients reconnect and resume. */
  interrupted(): void;

  /** The database was replaced or restored, so earlier ids of frames mean nothing any more: every client is told `reset`. */
  replaced(): void;
}
