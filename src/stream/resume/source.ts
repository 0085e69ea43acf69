import type { NamedAhead } from '../../event/ahead.js';
import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { inTime } from '../../lib/deadline.js';
import type { History } from '../history.js';
import type { Need, Recent } from './backlog.js';

/** How far a reading from storage has come. */
export interface ResumeProgress {
  /** The snapshot of the first page: later pages show nothing that it does not. */
  readonly frontier: Frontier;
  readonly last: { readonly xid: number; readonly id: number };
  readonly done: boolean;
  /** Rows that the next reading is to begin with; undefined: as many as there is room for. */
  readonly rows?: number | undefined;
}

/** What storage is asked for: events of these audiences, of these types (null: of all). */
export interface Reader {
  readonly audiences: Iterable<Audience>;
  readonly types: ReadonlySet<string> | null;
}

/** What storage has for clients that missed it. */
export interface StoredEvents {
  /**
   * Reads what one client is entitled to, asked for, and is new since a frontier.
   *
   * @param from - what an earlier call returned that was not done
   * @param onBatch - returns how many it took; fewer than there are end the reading for now, behind these: a connection to
   * the database never waits for a slow client
   * @returns how far it came, or why what was missed cannot be had
   */
  readSince(
    since: Frontier,
    client: Reader,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }>;

  /** Reads what any client may be entitled to: as far back as is needed, or as much as memory has room for. */
  readRecent(need: Need): Promise<Recent>;
}

/** What a resume has to know of where events come from. */
export interface ResumeSource extends StoredEvents {
  /** The name of the order in which events come, as frames' ids carry it. */
  readonly order: string;
  /** What stands behind the dash in the id of a frame for a client that has got everything delivered by now. */
  readonly position: string;
  /** All events visible in this frontier have been delivered. */
  readonly reached: Frontier;
  /** Resolves when everything that is visible now has been delivered. */
  catchUp(): Promise<void>;
}

/** Milliseconds for which a client waits until this instance has delivered all that the client had before it reconnected. */
const MAX_CATCH_UP = 10_000;

/**
 * Waits until this instance has delivered what is visible in a frontier from elsewhere: a sweep may not have found it yet, or
 * `onReceive` may hold it. A client that joined before that would get again what it has.
 *
 * @param ahead - events that the client has although they are not visible in the frontier
 */
export async function catchUpWith(
  frontier: Frontier,
  { source, history }: { source: ResumeSource; history: History },
  ahead?: NamedAhead,
): Promise<void> {
  if (source.reached.contains(frontier) && (!ahead || history.hasAll(ahead))) return;
  await inTime(source.catchUp(), MAX_CATCH_UP);
}
