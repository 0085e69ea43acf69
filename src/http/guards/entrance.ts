import type { Client } from '../../clients/client.js';
import type { Hub } from '../../clients/hub.js';
import type { Heard, Topics } from '../../clients/topics/topics.js';
import { userAudience } from '../../event/audience.js';
import { farewellFrame } from '../../event/frame.js';
import type { Logger } from '../../lib/logger.js';
import { SparseLog } from '../../lib/sparse-log.js';
import type { ResolvedOptions } from '../../options.js';
import type { Incoming } from '../incoming.js';
import { problem, type Reply } from '../reply.js';
import type { StreamQuery } from '../stream-query.js';
import { Admission, type Place } from './admission.js';
import { type Identity, identify } from './authenticate.js';
import { Rate } from './rate.js';

export interface EntranceOptions {
  options: ResolvedOptions;
  hub: Hub;
  topics: Topics;
  logger: Logger;
  life: {
    /** Resolves when the stream has a beginning, or with a sentence that says why it has none. */
    unready(): Promise<string | undefined>;
  };
}

/** Times that it is asked anew who a client is whom an order concerned meanwhile. */
const MAX_ATTEMPTS = 3;

/** Streams of one user that may take the place of another in a minute; then there is a 429. */
const MAX_REPLACED = 30;
const MINUTE = 60_000;

/** Milliseconds after which a client whose place was taken is told to come back, and up to as much again. */
const REPLACED_RETRY = 30_000;

/** Whose stream it is, and what of the topics that it asked for it may hear. */
export interface Admitted extends Identity {
  readonly heard: Heard;
  /** When it was asked, `performance.now()`. */
  readonly began: number;
}

/** Lets requests for a stream in: a place for each, whose it is, and what it may hear. */
export class Entrance {
  readonly #options: EntranceOptions;
  readonly #admission: Admission;
  readonly #replaced = new Rate(MAX_REPLACED, MINUTE);
  readonly #log: SparseLog;
  #closed = false;

  constructor(options: EntranceOptions) {
    this.#options = options;
    this.#admission = new Admission(options.options);
    this.#log = new SparseLog(options.logger);
  }

  /** Requests that count for the limits. */
  get places(): number {
    return this.#admission.size;
  }

  /** @returns a place, which whoever asked gives back, or why there is none */
  enter(incoming: Incoming): Place | Reply {
    return this.#closed ? stopping() : this.#admission.enter(incoming);
  }

  /** Whose stream it is, with a place of theirs, and what it may hear; or why there is none. */
  async admit(incoming: Incoming, query: StreamQuery, place: Place): Promise<Admitted | Reply> {
    const identity = await this.#identify(incoming, query);
    if ('status' in identity) return identity;
    const { userId } = identity;
    if (this.#closed) return stopping();
    if (userId !== null && this.#admission.isFull(userId) && !this.#makeRoom(userId)) {
      return problem(429, 'Too many streams of this user (option maxConnectionsPerUser).', { 'Retry-After': '10' });
    }
    place.assign(userId);
    return identity;
  }

  /** Asked anew, with its login, where an order concerned this user meanwhile. */
  async #identify(incoming: Incoming, query: StreamQuery): Promise<Admitted | Reply> {
    const { life, options, topics } = this.#options;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const began = performance.now();
      const identity = await identify(incoming, options, this.#log);
      if ('status' in identity) return identity;
      const { userId } = identity;
      const unready = await life.unready();
      if (unready !== undefined) return problem(503, unready, { 'Retry-After': '2' });
      try {
        const heard = await topics.heard(userId, query.topics, query.seals);
        if (!topics.concerned(userId, query.topics, began)) return { ...identity, heard, began };
      } catch (err) {
        this.#log.say(
          'error',
          { err },
          'who may hear which topic could not be read: a stream is refused, to be tried again',
        );
        return problem(503, 'The permissions for topics cannot be read; try again.', { 'Retry-After': '2' });
      }
    }
    return problem(503, 'Permissions change too fast; try again.', { 'Retry-After': '1' });
  }

  /**
   * Ends one of a user's streams for a new one. Behind a proxy that does not pass on that a client has gone, streams of nobody
   * would lock the user out. Nobody can tell such a stream from a live one for certain: first goes one that has stopped reading,
   * else the oldest. A live client comes back and resumes; so that more clients than places do not chase each other round,
   * the one that went is told to wait, and a user's streams are replaced only so often.
   */
  #makeRoom(userId: string): boolean {
    let chosen: Client | undefined;
    for (const client of this.#options.hub.clientsOf(userAudience(userId))) {
      if (!chosen || goesBefore(client, chosen)) chosen = client;
    }
    if (!chosen || !this.#replaced.take(userId)) return false;
    this.#log.say(
      'warn',
      { user: userId },
      'a user has maxConnectionsPerUser streams: a new one takes the place of the oldest',
    );
    chosen.close('replaced', farewellFrame(REPLACED_RETRY * (1 + Math.random()), chosen.pulse));
    return !this.#admission.isFull(userId);
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when no request has a place any more, or so many milliseconds have passed. */
  emptied(milliseconds: number): Promise<void> {
    return this.#admission.emptied(milliseconds);
  }
}

/** Whether this stream makes room before the other: it is not read, and that one is; else it is older. */
function goesBefore(one: Client, other: Client): boolean {
  const stalled = one.stalledSince !== undefined;
  return stalled === (other.stalledSince !== undefined) ? one.opened < other.opened : stalled;
}

const stopping = (): Reply => problem(503, 'This instance is shutting down.', { 'Retry-After': '1' });
