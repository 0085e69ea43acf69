import { Client, type CloseReason } from '../delivery/client.js';
import type { Connection } from '../delivery/connection.js';
import { connectedFrame, farewellFrame, levelFrame, type Pulse, retryFrame } from '../delivery/frame.js';
import { Frontier } from '../delivery/frontier.js';
import type { Hooks } from '../delivery/hooks.js';
import type { Hub } from '../delivery/hub.js';
import { packPosition, parsePosition } from '../delivery/position.js';
import type { Resume, ResumeFrom } from '../delivery/resume.js';
import type { Tally } from '../delivery/tally.js';
import type { Logger } from '../logger.js';
import type { ResolvedOptions } from '../options.js';
import { Admission } from './admission.js';
import { userOf } from './authenticate.js';
import type { Incoming } from './incoming.js';
import { checkOrigin } from './origin.js';
import { problem, type Reply } from './reply.js';
import { shareKey } from './share-key.js';

export interface StreamsOptions {
  options: ResolvedOptions;
  hub: Hub;
  hooks: Hooks;
  resume: Resume;
  tally: Tally;
  logger: Logger;
  /** Resolves when the stream has a beginning; rejects when it cannot be had. */
  ready(): Promise<void>;
  /** Where the stream stands now: the rest of an id. */
  position(): string;
  /** What snapshots of now belong to. */
  epoch(): string;
  /** Now, by the database's clock, milliseconds since 1970. */
  time(): number;
}

/** An accepted stream: the adapter opens the response with these headers and hands over its connection. */
export interface StreamStart {
  readonly headers: Record<string, string>;
  /** @returns what the adapter closes when the connection goes. */
  begin(connection: Connection): { close(reason: CloseReason): void };
  /** Instead of {@link begin}, where the client has gone meanwhile. */
  abandon(): void;
}

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** Types that one client may ask for by name, and how long their list may be. */
const MAX_TYPES = 100;
const MAX_QUERY = 8192;

/** Opens streams: who asks, what for, from where on; and closes them all in the end. */
export class Streams {
  /** Streams that ended, by why. */
  readonly closed: Record<CloseReason, number> = { client: 0, slow: 0, stalled: 0, lifetime: 0, shutdown: 0 };
  /** Requests refused, by status. */
  readonly refused: Record<number, number> = {};
  readonly #options: StreamsOptions;
  readonly #admission: Admission;
  /** Why the last resume that failed did. */
  #failure: unknown;
  #stopping = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
    this.#admission = new Admission(options.options);
  }

  async open(incoming: Incoming): Promise<Reply | StreamStart> {
    const answer = await this.#open(incoming);
    if ('status' in answer && answer.status !== 204)
      this.refused[answer.status] = (this.refused[answer.status] ?? 0) + 1;
    return answer;
  }

  async #open(incoming: Incoming): Promise<Reply | StreamStart> {
    const { options } = this.#options;
    if (incoming.method !== 'GET') return problem(405, 'The stream is read with GET.', { Allow: 'GET' });
    const origin = {
      origin: incoming.header('origin'),
      host: incoming.header('host'),
      fetchSite: incoming.header('sec-fetch-site'),
    };
    const cors = checkOrigin(origin, options.allowedOrigins);
    if (!cors) return problem(403, `Pages of ${origin.origin} may not open this stream (option allowedOrigins).`);
    const query = parseQuery(incoming.target);
    if (!query) return problem(400, 'The query is too long, or asks for too many types.', cors);
    const full = this.#refuseNew(undefined, incoming.address);
    if (full) return { ...full, headers: { ...full.headers, ...cors } };

    const user = await userOf(incoming, options, this.#options.logger);
    if (typeof user === 'object' && user !== null) return { ...user, headers: { ...user.headers, ...cors } };
    try {
      await this.#options.ready();
    } catch {
      return problem(503, 'The database cannot be reached yet; try again.', { 'Retry-After': '2', ...cors });
    }
    const refused = this.#refuseNew(user, incoming.address);
    if (refused) return { ...refused, headers: { ...refused.headers, ...cors } };

    if (query.get('probe') === '1') return { status: 204, headers: { 'Cache-Control': 'no-store', ...cors }, body: '' };

    const leave = this.#admission.enter(user, incoming.address);
    // A browser that reconnects by itself keeps the URL, and has the newer id in the header.
    const lastEventId = incoming.header('last-event-id') || query.get('lastEventId') || '';
    return {
      headers: { ...HEADERS, ...cors },
      begin: (connection) => this.#begin({ connection, incoming, query, userId: user, lastEventId, leave }),
      abandon: leave,
    };
  }

  #refuseNew(userId: string | null | undefined, address: string | undefined): Reply | undefined {
    if (this.#stopping) return problem(503, 'This instance is shutting down.', { 'Retry-After': '1' });
    return this.#admission.refusal(userId, address);
  }

  #begin({ connection, incoming, query, userId, lastEventId, leave }: Accepted): Client {
    const { hub, hooks, options, tally } = this.#options;
    const pulse = pulseOf(incoming, query);
    const client = new Client({
      userId,
      connection,
      request: () => incoming.request(),
      types: query.types,
      named: query.get('named') === '1',
      pulse,
      maxBytes: options.maxClientBytes,
      beforeSend: hooks.beforeSend,
      onSent: (envelope, userOf) => tally.sent(envelope, userOf, 1),
      onClose: (closing, reason) => {
        leave();
        this.#onClose(closing, reason);
      },
    });
    if (options.lifetime > 0) client.expires = performance.now() + options.lifetime * (0.8 + Math.random() * 0.2);
    hub.admit(client);

    const delay = Math.round(options.retry * (1 + Math.random() / 2));
    const retry = retryFrame(delay, pulse);
    const asksKey = query.get('shareKey') === '1';
    const key = asksKey ? shareKey(userId, incoming, query.get('token'), hooks.beforeSend !== undefined) : undefined;
    const since = query.get('since');
    const from = this.#resumeFrom(lastEventId, since);
    const greeting = { key, ...(pulse === 'visible' && { heartbeat: options.heartbeat, retry: delay }) };
    if (from === undefined) {
      hub.join(client);
      client.write(Buffer.concat([retry, connectedFrame(this.#options.position(), greeting)]));
    } else if ('reset' in from) {
      client.write(Buffer.concat([retry, connectedFrame(this.#options.position(), greeting)]));
      this.#options.resume.reset(client, from.reset);
    } else {
      client.write(Buffer.concat([retry, connectedFrame(from.rest, { ...greeting, resuming: true })]));
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

  #resumeFrom(lastEventId: string, since: string | null): ResumeFrom | { reset: string } | undefined {
    const epoch = this.#options.epoch();
    if (lastEventId !== '') {
      const position = parsePosition(lastEventId);
      if (!position) return { reset: 'the last event id cannot be read' };
      if (position.frontier.epoch !== epoch) return { reset: 'the database was replaced or restored' };
      return { position, rest: lastEventId.slice(lastEventId.indexOf('-') + 1) };
    }
    if (since === null || since === '') return undefined;
    // A position says no time, and that it is of before a crash nobody can tell.
    const time = this.#options.time();
    const frontier = since.length > MAX_QUERY ? undefined : Frontier.fromSnapshot(since, epoch, time);
    if (!frontier) return { reset: 'the position in since cannot be read' };
    return { frontier, rest: packPosition('0', 0, frontier) };
  }

  #onClose(client: Client, reason: CloseReason): void {
    this.#options.hub.leave(client);
    this.closed[reason] += 1;
    if (reason === 'slow' || reason === 'stalled') {
      const context = { user: client.userId, reason, buffered: client.buffered };
      this.#options.logger.warn(context, 'closed a client that does not keep up; it can resume');
    }
  }

  /** Accepts no more, tells each client to come back at a time of its own, and ends the streams. */
  stop(): void {
    this.#stopping = true;
    for (const client of [...this.#options.hub.clients]) {
      client.close('shutdown', farewellFrame(500 + Math.random() * 4500, client.pulse));
    }
  }
}

/** A stream that may begin. */
interface Accepted {
  connection: Connection;
  incoming: Incoming;
  query: Query;
  userId: string | null;
  lastEventId: string;
  /** Gives its place free. */
  leave(): void;
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

interface Query {
  get(name: string): string | null;
  types: ReadonlySet<string> | null;
}

function parseQuery(target: string): Query | undefined {
  const start = target.indexOf('?');
  if (start < 0) return { get: () => null, types: null };
  if (target.length - start > MAX_QUERY) return undefined;
  const parameters = new URLSearchParams(target.slice(start + 1));
  const names = parameters.get('types')?.split(',').filter(Boolean) ?? [];
  if (names.length > MAX_TYPES) return undefined;
  return { get: (name) => parameters.get(name), types: names.length > 0 ? new Set(names) : null };
}
