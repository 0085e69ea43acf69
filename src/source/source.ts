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

/** Why an instance does not start: for the log, for `healthz`, and for clients that ask for a stream. */
export interface StartFailure {
  /** What to do about it. */
  readonly message: string;
  /** What is wrong, for clients: without an address, a role's name, or anything else that only the app's operators should know. */
  readonly told: string;
  /** The check of `healthz` that fails for it. */
  readonly check: string;
}

/**
 * Where an instance's events come from: PostgreSQL, or for an edge the relay's log. Every other stage knows this interface only, and not
 * which of the two it has.
 *
 * A source is created without a connection, and connects to nothing before {@link start}. It delivers every event once, in one order, to
 * the {@link Downstream} with which it was started. It never gives up: if it cannot reach something, it tries again, and
 * {@link findings} report that meanwhile.
 */
export interface Source extends ResumeSource {
  /**
   * Connects, delivers recent events from before the start to the history ({@link Downstream.remember}), and resolves when events flow.
   * May be called again after it has rejected.
   *
   * @param stopping - aborted once the instance has been told to stop: the start ends early and resolves
   * @throws an error that no retry can mend: there is no schema, or a password or credential is wrong
   */
  start(downstream: Downstream, stopping: AbortSignal): Promise<void>;

  /** Stops delivering. Resolves when no event is delivered any more. */
  stop(): Promise<void>;

  /**
   * Closes the connections that {@link acknowledge}, {@link record} and {@link withdraw} use, which work until then. Called after
   * {@link stop}, when nothing more has to be written.
   */
  close(): Promise<void>;

  /** Explains an error of {@link start}. */
  explain(error: unknown): StartFailure;

  /** Why the last attempt to connect failed; undefined while there is a connection. */
  readonly failure: unknown;

  /** Whether events come at present. */
  readonly delivering: boolean;

  /** How many messages could not be read since the start. */
  readonly garbage: number;

  /**
   * The name of the order in which events come, 1 to 16 characters of `0-9a-z`, as frames' ids carry it. If events come from PostgreSQL it
   * is this instance's own name; at an edge with the whole log it is the log's generation. Two instances with the same order give an event the
   * same number. Empty: at present there is no order that an id could have a place in.
   */
  readonly order: string;

  /** The epoch of the database as frames' ids carry it (8 characters): it changes when the database was replaced or restored. */
  readonly epoch: string;

  /** The frontier up to which all events have been delivered. @throws before the start */
  readonly reached: Frontier;

  /** The current position: for the id of a frame to a client that has got everything delivered so far. */
  readonly position: string;

  /** The current time by the database's clock, or a little earlier: milliseconds since 1970; 0 before the start. */
  readonly time: number;

  /** Gives an event its sequence number and its position. Called once for each event that is delivered, in order. */
  next(envelope: Envelope): Item;

  /** Resolves when everything that is visible in the database at the time of the call has been delivered. */
  catchUp(): Promise<void>;

  /**
   * Tells the source that a client wants events of these audiences. Undefined if the source delivers every event anyway.
   *
   * @returns a promise that resolves once events of these audiences are certain to come, with a function that ends the interest
   * @throws `DjrError` `DJR_DATABASE` if nobody knows whether they come
   */
  interest?(audiences: Iterable<Audience>): Promise<() => void>;

  /**
   * Stores acknowledgements. Many calls at once share a few statements or requests.
   *
   * @returns for each acknowledgement whether it is a stored event of that user
   * @throws `DjrError` `DJR_BUSY` if too many wait, or the error why the database cannot be reached
   */
  acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<boolean[]>;

  /**
   * Records in `djr.activity` what became of events: at most 1,000 steps in a call, and one call at a time.
   *
   * @returns how many rows were written
   * @throws the error of the database; the caller tries again if that may help
   */
  record(steps: readonly Step[]): Promise<number>;

  /**
   * Checks that the database answers; at an edge, that the relay does.
   *
   * @returns how full PostgreSQL's NOTIFY queue is, 0 to 1; null if that is not known here
   * @throws if there is no answer within seconds
   */
  ping(): Promise<number | null>;

  /** For `healthz`: what is wrong, and what follows from it, while {@link ping} is not answered although events come. */
  readonly unanswered: string;

  /** Whether the database has consumers, as the last {@link ping} found. */
  readonly hasConsumers: boolean;

  /** Writes the instance's row in `djr.instance`, every 5 s. */
  report(reading: Reading): Promise<void>;

  /** Deletes the instance's row in `djr.instance`. */
  withdraw(): Promise<void>;

  /** Reads seal keys and revocations, and asks the app who may hear a topic. */
  readonly topics: TopicStore;

  /** Reads and writes presence. */
  readonly presence: PresenceStore;

  /** The health of the source, from what it remembers: it asks nobody. */
  findings(): Finding[];

  /** Registers the metrics of the source; they have no value before the start. */
  metrics(meter: Meter): void;
}
