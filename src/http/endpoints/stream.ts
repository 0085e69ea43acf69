import type { ActivityCounter } from '../../activity/counter.js';
import { Client, type CloseReason } from '../../clients/client.js';
import type { Connection } from '../../clients/connection.js';
import type { Hub } from '../../clients/hub.js';
import type { Heard, Topics } from '../../clients/topics/topics.js';
import { type Audience, topicAudience, userAudience } from '../../event/audience.js';
import { connectedFrame, farewellFrame, type Greeting, levelFrame, type Pulse, retryFrame } from '../../event/frame.js';
import { Frontier } from '../../event/frontier.js';
import { packPosition, parsePosition, placeOf } from '../../event/position.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';
import { SparseLog } from '../../lib/sparse-log.js';
import type { ResolvedOptions } from '../../options.js';
import type { Source } from '../../source/source.js';
import type { Hooks } from '../../stream/hooks.js';
import type { Resume, ResumeFrom } from '../../stream/resume/resume.js';
import type { Endpoint, StreamStart } from '../endpoint.js';
import { Admission, type Place } from '../guards/admission.js';
import { type Identity, identify } from '../guards/authenticate.js';
import { Logins } from '../guards/logins.js';
import { checkOrigin } from '../guards/origin.js';
import { Rate } from '../guards/rate.js';
import type { Incoming } from '../incoming.js';
import { PERSONAL_HEADERS, problem, type Reply } from '../reply.js';
import { shareKey } from './share-key.js';

export interface StreamsOptions {
  options: ResolvedOptions;
  hub: Hub;
  hooks: Hooks;
  resume: Resume;
  activity: ActivityCounter;
  topics: Topics;
  logger: Logger;
  life: {
    /** Resolves when the stream has a beginning, or with a sentence that says why it has none. */
    unready(): Promise<string | undefined>;
  };
  source: Pick<Source, 'position' | 'epoch' | 'time'>;
}

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  ...PERSONAL_HEADERS,
  // private, no-store: a cache may collapse requests for what says only no-cache, and hand one user's stream to another.
  'Cache-Control': 'private, no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** Types that one client may ask for by name, and how long their list may be. */
const MAX_TYPES = 100;
const MAX_LIST = 8192;
const MAX_QUERY = 12_000;

/** Topics that one client may ask for, and times that it is asked anew who a client is whom an order concerned meanwhile. */
const MAX_TOPICS = 100;
const MAX_ATTEMPTS = 3;

/** Streams of one user that may take the place of another in a minute; then there is a 429. */
const MAX_REPLACED = 30;
const MINUTE = 60_000;

/** Milliseconds after which a client whose place was taken is told to come back, and up to as much again. */
const REPLACED_RETRY = 30_000;

/** Milliseconds after which a client comes back that an order has caught between its login and its stream. */
const REORDERED_RETRY = 1000;

/** Milliseconds that {@link Streams.stop} waits for connections to be gone. */
const STOP_GRACE = 1000;

const METHODS = ['GET', 'OPTIONS'];

/** A counter that first appears with its first count has no increase: Prometheus knows no 0 to count from. */
const STATUSES = { 400: 0, 401: 0, 403: 0, 405: 0, 429: 0, 503: 0 };

/** Opens streams: who asks, what for, from where on; and closes them all in the end. */
export class Streams implements Endpoint {
  readonly path = 'sse';
  readonly methods = METHODS;
  readonly streams = true;
  /** Streams that ended, by why. */
  readonly closed: Record<CloseReason, number> = {
    client: 0,
    slow: 0,
    stalled: 0,
    lifetime: 0,
    replaced: 0,
    shutdown: 0,
    disconnected: 0,
  };
  /** Requests refused, by status. */
  readonly refused: Record<number, number> = {};
  readonly #options: StreamsOptions;
  readonly #admission: Admission;
  readonly #logins = new Logins();
  readonly #replaced = new Rate(MAX_REPLACED, MINUTE);
  readonly #log: SparseLog;
  /** Why the last resume that failed did. */
  #failure: unknown;
  #stopping = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#admission = new Admission(options.options);
    this.#log = new SparseLog(options.logger);
  }

  /** Requests that count for the limits. */
  get places(): number {
    return this.#admission.size;
  }

  metrics(meter: Meter): void {
    meter.gauge(
      'djr_places',
      'Requests for a stream that count for the limits: let in, open, or ended and not gone yet',
      () => this.places,
    );
    meter.counters('djr_connections_closed_total', 'Streams that ended, by why', 'reason', () => this.closed);
    meter.counters(
      'djr_requests_refused_total',
      'Requests for a stream that were refused, by status',
      'status',
      () => ({
        ...STATUSES,
        ...this.refused,
      }),
    );
  }

  async respond(incoming: Incoming): Promise<Reply | StreamStart> {
    const answer = await this.#open(incoming);
    if ('status' in answer && answer.status >= 400) {
      this.refused[answer.status] = (this.refused[answer.status] ?? 0) + 1;
    }
    return answer;
  }

  async #open(incoming: Incoming): Promise<Reply | StreamStart> {
    const { options } = this.#options;
    const origin = {
      origin: incoming.header('origin'),
      host: incoming.header('host'),
      fetchSite: incoming.header('sec-fetch-site'),
    };
    const cors = checkOrigin(origin, options.allowedOrigins);
    if (!cors) return problem(403, `Pages of ${origin.origin} may not open this stream (option allowedOrigins).`);
    if (incoming.method === 'OPTIONS') return preflight(cors);
    const query = parseQuery(incoming.target);
    if (!query) return problem(400, 'The query is too long, or asks for too many types or topics.', cors);
    if (this.#stopping) return stopping(cors);
    const place = this.#admission.enter(incoming);
    if ('status' in place) return { ...place, headers: { ...place.headers, ...cors } };
    try {
      const admitted = await this.#admit(incoming, query, place);
      if ('status' in admitted) {
        place.leave();
        return { ...admitted, headers: { ...admitted.headers, ...cors } };
      }
      if (query.get('probe') === '1') {
        place.leave();
        return { status: 204, headers: { 'Cache-Control': 'no-store', ...cors }, body: '' };
      }
      // A browser that reconnects by itself keeps the URL, and has the newer id in the header.
      const lastEventId = placeOf(incoming.header('last-event-id') || query.get('lastEventId') || '');
      return this.#start({ ...HEADERS, ...cors }, { incoming, query, ...admitted, lastEventId, place });
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  #start(headers: Record<string, string>, accepted: Accepted): StreamStart {
    const { place } = accepted;
    // A stream lives for hours: what it began with goes when it has begun.
    let waiting: Accepted | undefined = accepted;
    let client: Client | undefined;
    return {
      headers,
      begin: (connection) => {
        if (waiting) client = this.#begin(connection, waiting);
        waiting = undefined;
        return client;
      },
      gone: () => {
        client?.close('client');
        place.leave();
      },
    };
  }

  /** Whose stream it is, with a place of theirs, and what it may hear; or why there is none. */
  async #admit(incoming: Incoming, query: Query, place: Place): Promise<Admitted | Reply> {
    const identity = await this.#identify(incoming, query);
    if ('status' in identity) return identity;
    const { userId } = identity;
    if (this.#stopping) return stopping({});
    if (userId !== null && this.#admission.isFull(userId) && !this.#makeRoom(userId)) {
      return problem(429, 'Too many streams of this user (option maxConnectionsPerUser).', { 'Retry-After': '10' });
    }
    place.assign(userId);
    return identity;
  }

  /** Asked anew, with its login, where an order concerned this user meanwhile. */
  async #identify(incoming: Incoming, query: Query): Promise<Admitted | Reply> {
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
      const before = (one: Client, other: Client) =>
        (one.stalledSince === undefined) === (other.stalledSince === undefined)
          ? one.opened < other.opened
          : one.stalledSince !== undefined;
      if (!chosen || before(client, chosen)) chosen = client;
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

  /** @returns undefined where an order came since it was let in: the client comes back, and is asked again */
  #begin(connection: Connection, accepted: Accepted): Client | undefined {
    const { incoming, query, userId, expires, heard, began, lastEventId, place } = accepted;
    const { hub, hooks, options, activity, topics } = this.#options;
    const pulse = pulseOf(incoming, query);
    if (topics.concerned(userId, query.topics, began)) {
      connection.write(farewellFrame(REORDERED_RETRY, pulse));
      connection.end(REORDERED_RETRY);
      this.closed.disconnected += 1;
      return undefined;
    }
    const client = new Client({
      userId,
      audiences: topics.audiencesOf(userId, heard),
      connection,
      request: () => incoming.request(),
      types: query.types,
      named: query.get('named') === '1',
      pulse,
      maxBytes: options.maxClientBytes,
      beforeSend: hooks.beforeSend,
      onSent: (envelope, userOf) => activity.sent(envelope, userOf, 1),
      onClose: (closing, reason) => {
        if (reason === 'replaced') place.release();
        this.#onClose(closing, reason);
      },
    });
    if (options.lifetime > 0) client.expires = performance.now() + options.lifetime * (0.8 + Math.random() * 0.2);
    hub.admit(client);
    this.#logins.watch(client, expires);
    topics.watch(client, heard);

    const delay = Math.round(options.retry * (1 + Math.random() / 2));
    const retry = retryFrame(delay, pulse);
    const asksKey = query.get('shareKey') === '1';
    const key = asksKey ? shareKey(userId, incoming, query.get('token'), hooks.beforeSend !== undefined) : undefined;
    const since = query.get('since');
    const from = this.#resumeFrom(lastEventId, since, this.#startsOf(query, heard));
    const greeting = {
      key,
      ...(pulse === 'visible' && { heartbeat: options.heartbeat, retry: delay }),
      ...(query.topics.length > 0 && describe(heard, this.#options.source.time)),
    };
    if (from === undefined) {
      hub.join(client);
      client.write(Buffer.concat([retry, connectedFrame(this.#options.source.position, greeting)]));
    } else if ('reset' in from) {
      client.write(Buffer.concat([retry, connectedFrame(this.#options.source.position, greeting)]));
      this.#options.resume.reset(client, from.reset);
    } else {
      client.write(Buffer.concat([retry, connectedFrame(from.position, { ...greeting, resuming: true })]));
      void this.#resume(client, from, key);
    }
    return client;
  }

  async #resume(client: Client, from: ResumeFrom, key: string | undefined): Promise<void> {
    try {
      await this.#options.resume.run(client, from);
      if (key !== undefined) client.write(levelFrame(key));
    } catch (err) {
      // The client comes back with the id that it has, and nothing is lost. One reading may have failed for many.
      if (err !== this.#failure)
        this.#options.logger.error({ err }, 'a resume failed; its stream is ended, to be tried again');
      this.#failure = err;
      client.close('client');
    }
  }

  /** Topics that begin where the page read their state. */
  #startsOf(query: Query, heard: Heard): Map<Audience, Frontier> | undefined {
    let starts: Map<Audience, Frontier> | undefined;
    for (const topic of heard.topics.keys()) {
      const since = query.get(`since.${topic}`);
      const frontier = since
        ? Frontier.fromSnapshot(since, this.#options.source.epoch, this.#options.source.time)
        : undefined;
      if (!frontier) continue;
      starts ??= new Map();
      starts.set(topicAudience(topic), frontier);
    }
    return starts;
  }

  #resumeFrom(
    lastEventId: string,
    since: string | null,
    starts: Map<Audience, Frontier> | undefined,
  ): ResumeFrom | { reset: string } | undefined {
    const epoch = this.#options.source.epoch;
    if (lastEventId !== '') {
      const position = parsePosition(lastEventId);
      if (!position) return { reset: 'the last event id cannot be read' };
      if (position.frontier.epoch !== epoch) return { reset: 'the database was replaced or restored' };
      return { last: position, position: lastEventId.slice(lastEventId.indexOf('-') + 1), starts };
    }
    if (since === null || since === '') {
      if (!starts) return undefined;
      const { position } = this.#options.source;
      const last = parsePosition(`0-${position}`);
      return last && { last, position, starts };
    }
    // A position says no time, and that it is of before a crash nobody can tell.
    const time = this.#options.source.time;
    const frontier = since.length > MAX_QUERY ? undefined : Frontier.fromSnapshot(since, epoch, time);
    if (!frontier) return { reset: 'the position in since cannot be read' };
    return { frontier, position: packPosition('0', 0, frontier), starts };
  }

  #onClose(client: Client, reason: CloseReason): void {
    this.#options.hub.leave(client);
    this.#options.topics.forget(client);
    this.#logins.forget(client);
    this.closed[reason] += 1;
    if (reason === 'slow' || reason === 'stalled') {
      const context = { user: client.userId, reason, buffered: client.buffered };
      this.#options.logger.warn(context, 'closed a client that does not keep up; it can resume');
    }
  }

  /**
   * Accepts no more, tells each client to come back at a time of its own, and ends the streams. Resolves when their connections
   * are gone, for which a client that does not read has no more than a second.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const client of [...this.#options.hub.clients]) {
      client.close('shutdown', farewellFrame(500 + Math.random() * 4500, client.pulse));
    }
    await this.#admission.emptied(STOP_GRACE);
  }
}

/** Whose stream it is, and what of the topics that it asked for it may hear. */
interface Admitted extends Identity {
  readonly heard: Heard;
  /** When it was asked, `performance.now()`. */
  readonly began: number;
}

/** A stream that may begin. */
interface Accepted extends Admitted {
  incoming: Incoming;
  query: Query;
  lastEventId: string;
  place: Place;
}

/**
 * A reader that is built on fetch and not on EventSource may hand a frame without data to its app as an empty message, as
 * `@microsoft/fetch-event-source` does. It is known by what only an EventSource of a browser sends, `Cache-Control: no-cache`,
 * and by what only fetch and browsers send, `Sec-Fetch-Mode`.
 */
function pulseOf(incoming: Incoming, query: Query): Pulse {
  if (query.get('heartbeat') === '1') return 'visible';
  const fetched = incoming.header('sec-fetch-mode') !== undefined;
  return fetched && !incoming.header('cache-control')?.includes('no-cache') ? 'comment' : 'silent';
}
const stopping = (headers: Record<string, string>): Reply =>
  problem(503, 'This instance is shutting down.', { 'Retry-After': '1', ...headers });

/** What a browser asks before a page of another origin reads the stream with fetch, and headers that EventSource cannot send. */
const preflight = (cors: Record<string, string>): Reply => ({
  status: 204,
  headers: {
    Allow: METHODS.join(', '),
    'Access-Control-Allow-Methods': 'GET',
    'Access-Control-Allow-Headers': 'Authorization, Last-Event-ID, Cache-Control',
    'Access-Control-Max-Age': '600',
    ...cors,
  },
  body: '',
});

interface Query {
  get(name: string): string | null;
  types: ReadonlySet<string> | null;
  topics: readonly string[];
  seals: readonly string[];
}

function parseQuery(target: string): Query | undefined {
  const start = target.indexOf('?');
  if (start < 0) return { get: () => null, types: null, topics: [], seals: [] };
  if (target.length - start > MAX_QUERY) return undefined;
  const parameters = new URLSearchParams(target.slice(start + 1));
  const list = parameters.get('types') ?? '';
  if (list.length > MAX_LIST) return undefined;
  const names = list.split(',').filter(Boolean);
  const topics = parameters.getAll('topic');
  const seals = parameters.getAll('seal');
  if (names.length > MAX_TYPES || topics.length > MAX_TOPICS || seals.length > MAX_TOPICS) return undefined;
  return {
    get: (name) => parameters.get(name),
    types: names.length > 0 ? new Set(names) : null,
    topics,
    seals,
  };
}

/** What the connected frame says of topics; seconds until a permission ends. */
function describe({ topics, refused }: Heard, time: number): Omit<Greeting, 'key'> {
  const ending = [...topics].filter(([, end]) => end !== Number.POSITIVE_INFINITY);
  return {
    topics: [...topics.keys()],
    refused: [...refused.keys()],
    reasons: refused.size > 0 ? Object.fromEntries(refused) : undefined,
    expires:
      ending.length > 0
        ? Object.fromEntries(ending.map(([topic, end]) => [topic, Math.floor((end - time) / 1000)]))
        : undefined,
  };
}
