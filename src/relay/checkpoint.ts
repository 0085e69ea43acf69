import { Frontier } from '../event/frontier.js';
import type { IdRun } from './id-runs.js';

/** What a reader of the log has to know of the database, beside the events. */
export interface LogStatus {
  /** Milliseconds since 1970 at which PostgreSQL was started. */
  readonly startedAt: number;
  /** The highest transaction of which pruning removed an event. */
  readonly prunedXid: number;
  readonly storage: boolean;
  readonly activity: 'off' | 'summary' | 'full';
}

/**
 * What a source says of the log at one place of it: all events that are visible in {@link frontier} lie before this place, and
 * so do those that {@link ahead} names.
 */
export interface Checkpoint {
  /** Which take-over wrote it: the log between two take-overs has one writer. */
  readonly term: string;
  /** Sequence of the checkpoint before; 0: it is the first of its generation. */
  readonly previous: number;
  readonly frontier: Frontier;
  readonly status: LogStatus;
  /** Events that are in the log although they are not visible in the frontier: NOTIFY has brought them. */
  readonly ahead: readonly IdRun[];
  /** No event that {@link ahead} names lies before this sequence; 0: there is none. */
  readonly aheadFrom: number;
  /** The hash of the audience of each message since the checkpoint before, in the order of their sequences. */
  readonly manifest: Uint32Array;
}

/** The form of the text: a reader that does not know it must not guess. */
const VERSION = 1;

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const { term, previous, frontier, status, ahead, aheadFrom, manifest } = checkpoint;
  return JSON.stringify({
    version: VERSION,
    term,
    previous,
    epoch: frontier.epoch,
    snapshot: frontier.snapshot,
    time: frontier.time,
    status,
    ahead,
    aheadFrom,
    manifest: Buffer.from(manifest.buffer, manifest.byteOffset, manifest.byteLength).toString('base64'),
  });
}

/** @throws when it is not a checkpoint of this version */
export function decodeCheckpoint(text: string): Checkpoint {
  const fields = JSON.parse(text) as Record<string, unknown>;
  if (fields.version !== VERSION) {
    throw new Error(`the version of a checkpoint must be ${VERSION} (it is ${String(fields.version)})`);
  }
  const { term, previous, epoch, snapshot, time, status, ahead, aheadFrom, manifest } = fields as {
    term: string;
    previous: number;
    epoch: string;
    snapshot: string;
    time: number;
    status: LogStatus;
    ahead: IdRun[];
    aheadFrom: number;
    manifest: string;
  };
  const frontier = Frontier.fromSnapshot(snapshot, epoch, time);
  if (!frontier) throw new Error(`the snapshot of a checkpoint cannot be read: ${snapshot}`);
  // A view needs an offset that is a multiple of four, which a small buffer of Node's pool may not have.
  const bytes = new Uint8Array(Buffer.from(manifest, 'base64'));
  return {
    term,
    previous,
    frontier,
    status,
    ahead,
    aheadFrom,
    manifest: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  };
}
