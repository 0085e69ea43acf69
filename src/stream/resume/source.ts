import type { NamedAhead } from '../../event/ahead.js';
import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { inTime } from '../../lib/deadline.js';
import type { History } from '../history.js';
import type { Need, Recent } from './backlog.js';

/** How far a reading of several pages from storage has come. */
export interface ResumeProgress {
  /** The snapshot of the first page. Later pages have no events that are not visible in it. */
  readonly frontier: Frontier;
  readonly last: { readonly xid: number; readonly id: number };
  readonly done: boolean;
  /** How many rows the next page fetches first, fewer for a slow client; undefined: as many as memory has room for. */
  readonly rows?: number | undefined;
}

/** Which events are read from storage: those of these audiences and of these types (null: of all types). */
export interface Wanted {
  readonly audiences: Iterable<Audience>;
  readonly types: ReadonlySet<string> | null;
}

/** Reads from storage what clients missed. */
export interface StoredEvents {
  /**
   * Reads the events that are new since a frontier, that the client is entitled to, and whose type it asked for.
   *
   * @param from - what an earlier call returned whose reading was not done
   * @param onBatch - returns how many events it took. If it took fewer than it got, the reading ends for now, after those: a connection
   * to the database never waits for a slow client
   * @returns how far the reading has come, or why missed events cannot be had
   */
  readSince(
    since: Frontier,
    wanted: Wanted,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }>;

  /** Reads the latest events of all clients: as far back as is needed, or as many as memory has room for. */
  readRecent(need: Need): Promise<Recent>;
}

/** The part of a source that a resume needs. */
export interface ResumeSource extends StoredEvents {
  /** The name of the order in which events come, as frames' ids carry it. */
  readonly order: string;
  /** The current position: for the id of a frame to a client that has got everything delivered so far. */
  readonly position: string;
  /** The frontier up to which all events have been delivered. */
  readonly reached: Frontier;
  /** Resolves when everything that is visible now has been delivered. */
  catchUp(): Promise<void>;
}

/** Milliseconds for which a client waits until this instance has delivered everything that the client had got before it reconnected. */
const MAX_CATCH_UP = 10_000;

/**
 * Waits until this instance has delivered every event that is visible in a frontier: another instance's, a page's, or that of a reading
 * from storage. A sweep may not have found it yet, or `onReceive` may not have answered, and a client that joined before that would get
 * events again that it has. After {@link MAX_CATCH_UP} the resume goes on all the same, and the client may get events a second time.
 *
 * @param ahead - events that the client has got although they are not visible in the frontier
 */
export async function catchUpWith(
  frontier: Frontier,
  { source, history }: { source: ResumeSource; history: History },
  ahead?: NamedAhead,
): Promise<void> {
  if (source.reached.contains(frontier) && (!ahead || history.hasAll(ahead))) return;
  await inTime(source.catchUp(), MAX_CATCH_UP);
}
