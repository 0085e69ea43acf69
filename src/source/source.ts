import type { Acknowledgement } from '../activity/acknowledger.js';
import type { Step } from '../activity/counter.js';
import type { PresenceStore } from '../clients/topics/presence.js';
import type { TopicStore } from '../clients/topics/topic-store.js';
import type { Audience } from '../event/audience.js';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Item } from '../event/item.js';
import type { Finding } from '../instance/finding.js';
import type { Reading } from '../instance/series.js';
import type { Meter } from '../lib/meter.js';
import type { Downstream } from '../stream/downstream.js';
import type { ResumeSource } from '../stream/resume/source.js';

export type { Downstream };

/** Why an instance does not start: for the log, for `healthz`, and for whoever asks it for a stream. */
export interface StartFailure {
  /** What to do about it. */
  readonly message: string;
  /** What is wrong, without what only the people who run the app should know: no address, no name of a role. */
  readonly told: string;
  /** The check of `healthz` that fails for it. */
  readonly check: string;
}

/**
 * Where an instance's events come from: PostgreSQL, or for an edge the relay's log. Every other stage knows this interface
 * and not which of the two it has.
 *
 * A source is made without a connection, and asks nothing before {@link start}. It gives every event once and in one order to
 * the {@link Downstream} that it was started with, and it never gives up: what it cannot reach, it tries again, and
 * {@link findings} say so meanwhile.
 */
export interface Source extends ResumeSource {
  /**
   * Connects, brings the history that there is from before the start ({@link Downstream.remember}), and resolves when events
   * flow. May be called again after it has rejected.
   *
   * @param stopping - aborted once the instance has been told to stop: the start ends early and resolves
   * @throws what no retry mends: no schema, a wrong password, a wrong credential
   */
  start(downstream: Downstream, stopping: AbortSignal): Promise<void>;

  /** Resolves when it delivers nothing any more. */
  stop(): Promise<void>;

  /**
   * Ends what {@link acknowledge}, {@link record} and {@link withdraw} go by, which work until then. Called behind
   * {@link stop}, when nothing more is to be written.
   */
  close(): Promise<void>;

  /** What an error of {@link start} means. */
  explain(error: unknown): StartFailure;

  /** Why the last attempt to connect failed; undefined while there is a connection. */
  readonly failure: unknown;

  /** Whether events come at present, by whichever way. */
  readonly delivering: boolean;

  /** Messages that could not be read, since the start. */
  readonly garbage: number;

  /**
   * The name of the order in which events come, 1 to 16 characters of `0-9a-z`, as frames' ids carry it: this instance's own
   * name where events come from PostgreSQL, the log's generation at an edge. Two instances with one order number alike.
   */
  readonly order: string;

  /** Which history of the database it is, as frames' ids carry it (8 characters); changes when a database was replaced or restored. */
  readonly epoch: string;

  /** All events visible in this frontier have been delivered. @throws before the start */
  readonly reached: Frontier;

  /** What stands behind the dash in the id of a frame for a client that has got everything delivered by now. */
  readonly position: string;

  /** Now, by the database's clock, at least: milliseconds since 1970; 0 before the start. */
  readonly time: number;

  /** Gives the event its number in the order, and its id: called once for each event that is delivered, in order. */
  next(envelope: Envelope): Item;

  /** Resolves when everything that is visible in the database at the time of the call has been delivered. */
  catchUp(): Promise<void>;

  /**
   * Tells the source that a client hears these audiences. Undefined where the source delivers every event anyway.
   *
   * @returns when events of these audiences are sure to come: a function that ends the interest
   */
  interest?(audiences: readonly Audience[]): Promise<() => void>;

  /**
   * Stores acknowledgements; however many ask at once, few statements or requests carry them.
   *
   * @returns for each whether it is a stored event of that user
   * @throws `DjrError` `DJR_BUSY` when too many wait, or why the database cannot be reached
   */
  acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<boolean[]>;

  /**
   * Records what became of events, for `djr.activity`: at most 1,000 steps a call, one call at a time.
   *
   * @returns how many rows were written
   * @throws what the database says; the caller tries again where that may help
   */
  record(steps: readonly Step[]): Promise<number>;

  /**
   * Proves that the database, or what leads to it, answers.
   *
   * @returns how full PostgreSQL's NOTIFY queue is, 0 to 1; null where that is not known here
   * @throws when there is no answer within seconds
   */
  ping(): Promise<number | null>;

  /** Whether the database has consumers, as the last {@link ping} has seen. */
  readonly hasConsumers: boolean;

  /** Says in `djr.instance` that this instance is there, every 5 s. */
  report(reading: Reading): Promise<void>;

  /** Takes the instance's row out of `djr.instance`. */
  withdraw(): Promise<void>;

  /** Seal keys and revocations, and the app's own answers who may hear a topic. */
  readonly topics: TopicStore;

  /** What presence is kept in. */
  readonly presence: PresenceStore;

  /** How healthy the way is by which events come, from what is remembered: it asks nobody. */
  findings(): Finding[];

  /** Registers the metrics of the source; they have no value before the start. */
  metrics(meter: Meter): void;
}
