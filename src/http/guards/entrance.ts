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
    /** Resolves when the instance has started, or with a sentence that says why it has not. */
    unready(): Promise<string | undefined>;
  };
}

/** How often a client is authenticated again because an order concerned it meanwhile. */
const MAX_ATTEMPTS = 3;

/** How many streams of one user may replace another one in a minute; further ones are refused with 429. */
const MAX_REPLACED = 30;
const MINUTE = 60_000;

/** Milliseconds after which a client that was replaced may reconnect; a random part of up to as much is added. */
const REPLACED_RETRY = 30_000;

/** The user of a stream, and which of the topics that it asked for it may hear. */
export interface Admitted extends Identity {
  readonly heard: Heard;
  /** `performance.now()` when authentication began. */
  readonly began: number;
}

/** Decides whether a request for a stream is let in: it needs a place within the limits, a user, and permissions for its topics. */
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

  /** How many requests count for the limits now. */
  get places(): number {
    return this.#admission.size;
  }

  /** Why nobody is let in any more; undefined: they are. */
  get refusal(): Reply | undefined {
    return this.#closed ? stopping() : undefined;
  }

  /** @returns a place, which the caller must give back, or the reply that says why there is none */
  enter(incoming: Incoming): Place | Reply {
    return this.refusal ?? this.#admission.enter(incoming);
  }

  /** Authenticates a request and assigns its place to the user. @returns the user and the topics that it may hear, or the reply that refuses it */
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

  /** Authenticates, and checks the topics. Both are done again if an order concerned this user meanwhile. */
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
   * Ends one of a user's streams for a new one. Some proxies do not report that a client has gone, and streams without a client would
   * lock the user out. Such a stream cannot be told from a live one for certain, so one that has stopped reading is ended first, else
   * the oldest. A live client reconnects and resumes. So that more clients than places do not keep replacing each other, the ended one
   * is told to wait, and a user's streams are replaced only {@link MAX_REPLACED} times a minute.
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

  /** From now on every request is refused. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when no request has a place any more, or after so many milliseconds. */
  emptied(milliseconds: number): Promise<void> {
    return this.#admission.emptied(milliseconds);
  }
}

/** Whether the first stream should be ended rather than the other: if only one of them has stopped reading, that one; else the older. */
function goesBefore(one: Client, other: Client): boolean {
  const stalled = one.stalledSince !== undefined;
  return stalled === (other.stalledSince !== undefined) ? one.opened < other.opened : stalled;
}

const stopping = (): Reply => problem(503, 'This instance is shutting down.', { 'Retry-After': '1' });
