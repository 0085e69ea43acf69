import type { ActivityCounter } from '../../activity/counter.js';
import { Client, type ClientOptions } from '../../clients/client.js';
import type { CloseReason } from '../../clients/close-reason.js';
import type { Connection } from '../../clients/connection.js';
import type { Hub } from '../../clients/hub.js';
import type { Heard, Topics } from '../../clients/topics/topics.js';
import { connectedFrame, farewellFrame, type Greeting, levelFrame, retryFrame } from '../../event/frame.js';
import { placeOf } from '../../event/position.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';
import type { ResolvedOptions } from '../../options.js';
import type { Source } from '../../source/source.js';
import type { Hooks } from '../../stream/hooks.js';
import type { Resume } from '../../stream/resume/resume.js';
import type { Endpoint, StreamStart } from '../endpoint.js';
import { Entrance, type EntranceOptions } from '../guards/entrance.js';
import { interestIn } from '../guards/interest.js';
import { Logins } from '../guards/logins.js';
import { checkOrigin, originOf } from '../guards/origin.js';
import type { Incoming } from '../incoming.js';
import { PERSONAL_HEADERS, problem, type Reply } from '../reply.js';
import { parseQuery, pulseOf } from '../stream-query.js';
import { type Accepted, AcceptedStream } from './accepted-stream.js';
import { shareKey } from './share-key.js';
import { StartingPoint, type StartingPointOptions } from './starting-point.js';

export interface StreamsOptions extends EntranceOptions, StartingPointOptions {
  options: ResolvedOptions;
  hub: Hub;
  hooks: Hooks;
  resume: Resume;
  activity: ActivityCounter;
  topics: Topics;
  logger: Logger;
  source: StartingPointOptions['source'] & Pick<Source, 'interest'>;
}

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  ...PERSONAL_HEADERS,
  // With no-cache alone a cache may answer several waiting requests with one response, and give one user's stream to another.
  'Cache-Control': 'private, no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** Milliseconds after which a client reconnects whose stream does not begin: an order came since its login, or the instance stops. */
const TURNED_AWAY_RETRY = 1000;

/** Milliseconds for which {@link Streams.stop} waits until connections are gone. */
const STOP_GRACE = 1000;

const METHODS = ['GET', 'OPTIONS'];

/** The statuses begin at 0, because Prometheus sees no increase in a counter that first appears with its first count. */
const STATUSES = { 400: 0, 401: 0, 403: 0, 405: 0, 429: 0, 503: 0 };

/** `GET sse/`: opens streams, lets them begin or resume, and closes all of them in the end. */
export class Streams implements Endpoint {
  readonly path = 'sse';
  readonly methods = METHODS;
  readonly streams = true;
  /** How many streams ended, by reason. */
  readonly closed: Record<CloseReason, number> = {
    client: 0,
    slow: 0,
    stalled: 0,
    lifetime: 0,
    replaced: 0,
    shutdown: 0,
    disconnected: 0,
    interrupted: 0,
  };
  /** How many requests were refused, by status. */
  readonly refused: Record<number, number> = {};
  readonly #options: StreamsOptions;
  readonly #entrance: Entrance;
  readonly #logins = new Logins();
  readonly #startingPoint: StartingPoint;
  /** The error of the last failed resume, so that an error that many resumes share is logged once. */
  #failure: unknown;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#entrance = new Entrance(options);
    this.#startingPoint = new StartingPoint(options);
  }

  /** How many requests count for the limits now. */
  get places(): number {
    return this.#entrance.places;
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
    const origin = originOf(incoming);
    const cors = checkOrigin(origin, options.allowedOrigins);
    if (!cors) return problem(403, `Pages of ${origin.origin} may not open this stream (option allowedOrigins).`);
    if (incoming.method === 'OPTIONS') return preflight(cors);
    const query = parseQuery(incoming.target);
    if (!query) return problem(400, 'The query is too long, or asks for too many types or topics.', cors);
    const place = this.#entrance.enter(incoming);
    if ('status' in place) return { ...place, headers: { ...place.headers, ...cors } };
    try {
      const admitted = await this.#entrance.admit(incoming, query, place);
      if ('status' in admitted) {
        place.leave();
        return { ...admitted, headers: { ...admitted.headers, ...cors } };
      }
      if (query.get('probe') === '1') {
        place.leave();
        return { status: 204, headers: { ...PERSONAL_HEADERS, ...cors }, body: '' };
      }
      // An EventSource that reconnects by itself keeps the URL, so the id in its header is newer than the one in the query.
      const lastEventId = placeOf(incoming.header('last-event-id') || query.get('lastEventId') || '');
      const { source, topics } = this.#options;
      const audiences = () => topics.audiencesOf(admitted.userId, admitted.heard);
      const interest = await interestIn(source, audiences, () => this.#entrance.refusal);
      if (typeof interest === 'object') {
        place.leave();
        return { ...interest, headers: { ...interest.headers, ...cors } };
      }
      const accepted = { incoming, query, ...admitted, lastEventId, place, interest };
      return new AcceptedStream({ ...HEADERS, ...cors }, accepted, this.#begin);
    } catch (error) {
      place.leave();
      throw error;
    }
  }

  /**
   * @returns undefined if an order came since the client was let in, or the instance was told to stop: the client is told to reconnect, and
   *   is authenticated again
   */
  readonly #begin = (connection: Connection, accepted: Accepted): Client | undefined => {
    const { incoming, query, userId, expires, heard, began, lastEventId, place } = accepted;
    const { hub, hooks, options, topics } = this.#options;
    const pulse = pulseOf(incoming, query);
    const isStopping = this.#entrance.refusal !== undefined;
    if (isStopping || topics.concerned(userId, query.topics, began)) {
      connection.write(farewellFrame(TURNED_AWAY_RETRY, pulse));
      connection.end(TURNED_AWAY_RETRY);
      this.closed[isStopping ? 'shutdown' : 'disconnected'] += 1;
      return undefined;
    }
    const client = new Client({
      userId,
      audiences: topics.audiencesOf(userId, heard),
      connection,
      incoming,
      types: query.types,
      named: query.get('named') === '1',
      pulse,
      maxBytes: options.maxClientBytes,
      beforeSend: hooks.beforeSend,
      place,
      onSent: this.#onSent,
      onClose: this.#onClose,
      onBehind: this.#onBehind,
    });
    if (options.lifetime > 0) client.expires = performance.now() + options.lifetime * (0.8 + Math.random() * 0.2);
    hub.admit(client);
    this.#logins.watch(client, expires);
    topics.watch(client, heard);

    const delay = Math.round(options.retry * (1 + Math.random() / 2));
    const retry = retryFrame(delay, pulse);
    const asksKey = query.get('shareKey') === '1';
    const key = asksKey ? shareKey(userId, incoming, query.get('token'), hooks.beforeSend !== undefined) : undefined;
    const from = this.#startingPoint.of(lastEventId, query, heard);
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
      void this.#resume(client, () => this.#options.resume.run(client, from), key);
    }
    return client;
  };

  async #resume(client: Client, run: () => Promise<void>, key: string | undefined): Promise<void> {
    try {
      await run();
      if (key !== undefined) client.write(levelFrame(key));
    } catch (err) {
      // Nothing is lost: the client reconnects with the last id that it got. Many resumes may fail with the same reading.
      if (err !== this.#failure)
        this.#options.logger.error({ err }, 'a resume failed; its stream is ended, to be tried again');
      this.#failure = err;
      client.close('client');
    }
  }

  // One function for all clients: one for each would stay as long as its stream.
  readonly #onSent: ClientOptions['onSent'] = (envelope, userId) => this.#options.activity.sent(envelope, userId, 1);

  readonly #onBehind: ClientOptions['onBehind'] = (late, item) =>
    void this.#resume(late, () => this.#options.resume.behind(late, item), undefined);

  readonly #onClose: ClientOptions['onClose'] = (client, reason) => {
    if (reason === 'replaced') client.place?.release();
    this.#options.hub.leave(client);
    this.#options.topics.forget(client);
    this.#logins.forget(client);
    this.closed[reason] += 1;
    if (reason === 'slow' || reason === 'stalled') {
      const context = { user: client.userId, reason, buffered: client.buffered };
      this.#options.logger.warn(context, 'closed a client that does not keep up; it can resume');
    }
  };

  /**
   * Refuses new streams, tells each client when to reconnect (at different times, so that they do not all come at once), and ends the
   * streams. Resolves when their connections are gone, or after a second: a client may not read.
   */
  async stop(): Promise<void> {
    this.#entrance.close();
    for (const client of [...this.#options.hub.clients]) {
      client.close('shutdown', farewellFrame(500 + Math.random() * 4500, client.pulse));
    }
    await this.#entrance.emptied(STOP_GRACE);
  }
}

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
