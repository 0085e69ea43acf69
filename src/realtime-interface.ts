import type { ConsumeContext } from './consume/batch.js';
import type { ConsumedEventOf } from './consume/consumed-event.js';
import type { Consumption } from './consume/consumers.js';
import type { ConsumeOptions } from './consume/options.js';
import type { Event, EventMap, EventOf, EventsOf } from './event/event.js';
import type { UserId } from './event/user-id.js';
import type { FetchHandler } from './http/adapters/fetch.js';
import type { NodeHandler } from './http/adapters/node.js';
import type { ScriptTagOptions } from './http/script-tag.js';
import type { Publication } from './publish/publisher.js';
import type { SqlClient } from './publish/sql-client.js';
import type { Health } from './telemetry/health.js';

/** A running djr: one instance, one listening connection. Made by `createRealtime`. */
export interface Realtime<Events extends EventsOf<Events> = EventMap> {
  /**
   * `(req, res, next?, { userId }?)`: mount it with `app.use(realtime.handler)`, in Koa as well, or call it from node:http. What it
   * returns resolves when the answer is over.
   */
  readonly handler: NodeHandler;
  /** `(Request, { userId, address }?) => Promise<Response>`. */
  readonly fetch: FetchHandler;
  /** Gets every event of every scope, in this process. @returns a function that ends the subscription */
  subscribe(subscriber: (event: EventOf<Events>) => unknown): () => void;
  /** Gets the events of one type. @returns a function that ends the subscription */
  subscribe<T extends keyof Events & string>(type: T, subscriber: (event: Event<T, Events[T]>) => unknown): () => void;
  /**
   * Hands every event of a consumer to the handler once, also what was published while nobody ran: in batches, in order, each in
   * a transaction with the consumer's place (docs/consumers.md). What the handler writes through `client` commits with the
   * place. When it throws, the batch is rolled back and comes again. Of several processes one works at a time.
   *
   * @param name - of a consumer: `djr.create_consumer`, or the option `create`
   * @throws `DjrError` `DJR_CONFIG` when an option is wrong
   */
  consume(
    name: string,
    handler: (events: ConsumedEventOf<Events>[], context: ConsumeContext) => unknown,
    options?: ConsumeOptions,
  ): Consumption;
  /**
   * Publishes through the pool or, with `client`, inside the caller's own transaction. Needs no listener.
   *
   * @returns the event's id; null where `store` is false and it was dropped, as too many without a row came while delivery sweeps
   * @throws `DjrError` with the SQLSTATE of the rule that was broken (docs/sql.md): `DJR02` where `userId` is there and
   * undefined or null, or where neither it nor a scope is; `DJR03` where it is empty or a number that is no safe integer
   */
  publish<T extends keyof Events & string>(
    publication: Publication<T, Events[T]>,
    options?: { client?: SqlClient },
  ): Promise<number>;
  publish<T extends keyof Events & string>(
    publication: Publication<T, Events[T], boolean>,
    options?: { client?: SqlClient },
  ): Promise<number | null>;
  /**
   * Ends every open stream of a user on every instance, within a second: `djr.disconnect` of SQL, which the transaction that
   * deletes a session calls itself. The user's pages come back when `authenticate` lets them.
   *
   * @param reason - for the page
   * @throws `DjrError` `DJR02` or `DJR03` where `userId` names nobody
   */
  disconnect(userId: UserId, reason?: string, options?: { client?: SqlClient }): Promise<void>;
  /**
   * Asks again who may hear topics, on every instance within a second: `djr.recheck` of SQL. Seals from before are void. A page
   * whose permission is gone is told, and asks for a new seal once.
   *
   * @param userId - null or left out: everyone
   * @param topic - null or left out: every topic
   * @throws `DjrError` `DJR03` where `userId` is nobody's id, `DJR18` where the topic is none
   */
  recheck(userId?: UserId | null, topic?: string | null, options?: { client?: SqlClient }): Promise<void>;
  /** The script tag for a page. */
  scriptTag(options?: ScriptTagOptions): string;
  /**
   * Connects; the first request or subscription does it, too. Resolves when events flow.
   *
   * @throws `DjrError` or PostgreSQL's error when no retry would help: no schema, a wrong password
   */
  start(): Promise<void>;
  /**
   * From now on `healthz` answers 503, so that load balancers send new clients elsewhere; everything else goes on as before
   * until `stop()`. Call it so long before `stop()` as a load balancer takes to notice.
   */
  drain(): void;
  /** Ends the streams, each told to come back at a time of its own, and every connection to the database. */
  stop(): Promise<void>;
  /** What `metrics` answers: Prometheus text of this instance, for an endpoint of your own. */
  metrics(): Promise<string>;
  /** What `healthz` answers. */
  health(): Health;
}
