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

/** A runtime of djr, made by `createRealtime`: one instance with one listening connection. */
export interface Realtime<Events extends EventsOf<Events> = EventMap> {
  /**
   * `(req, res, next?, { userId }?)`: mount it with `app.use(realtime.handler)`, in Koa as well, or call it from node:http. The promise
   * that it returns resolves when the answer is over.
   */
  readonly handler: NodeHandler;
  /** `(Request, { userId, address }?) => Promise<Response>`. */
  readonly fetch: FetchHandler;
  /** Calls back for every event of every scope, in this process. @returns a function that ends the subscription */
  subscribe(subscriber: (event: EventOf<Events>) => unknown): () => void;
  /** Calls back for the events of one type. @returns a function that ends the subscription */
  subscribe<T extends keyof Events & string>(type: T, subscriber: (event: Event<T, Events[T]>) => unknown): () => void;
  /**
   * Passes every event of a consumer to the handler once, including events that were published while no process ran. They come in order
   * and in batches, each in a transaction with the consumer's place (docs/consumers.md): what the handler writes through `client` is
   * committed together with the place. If the handler throws, the batch is rolled back and comes again. Of several processes one works
   * at a time.
   *
   * @param name - the name of a consumer that `djr.create_consumer` or the option `create` has made
   * @throws `DjrError` `DJR_CONFIG` if an option is wrong
   */
  consume(
    name: string,
    handler: (events: ConsumedEventOf<Events>[], context: ConsumeContext) => unknown,
    options?: ConsumeOptions,
  ): Consumption;
  /**
   * Publishes an event, through the pool or, with `client`, inside the caller's own transaction. It needs no listener.
   *
   * @returns the event's id; null if `store` is false and the event was dropped, because too many such events came while delivery was sweep,
   * or if a trigger of yours on `djr.event` kept its row out
   * @throws `DjrError` with the SQLSTATE of the rule that was broken (docs/sql.md): `DJR02` if `userId` is given but undefined or null, or
   * if there is neither a `userId` nor a scope; `DJR03` if it is empty or a number that is no safe integer
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
   * Ends every open stream of a user on every instance, within a second. It is the SQL function `djr.disconnect`, which a transaction that
   * deletes a session can call itself. The user's pages reconnect when `authenticate` lets them in again.
   *
   * @param reason - told to the page
   * @throws `DjrError` `DJR02` or `DJR03` if `userId` names nobody
   */
  disconnect(userId: UserId, reason?: string, options?: { client?: SqlClient }): Promise<void>;
  /**
   * Checks again who may hear topics, on every instance within a second. It is the SQL function `djr.recheck`. Earlier seals become
   * invalid. A page that has lost its permission is told so, and asks once for a new seal.
   *
   * @param userId - null or left out: every user
   * @param topic - null or left out: every topic
   * @throws `DjrError` `DJR03` if no user can have this id, `DJR18` if the text can be no topic
   */
  recheck(userId?: UserId | null, topic?: string | null, options?: { client?: SqlClient }): Promise<void>;
  /** The script tag for a page. */
  scriptTag(options?: ScriptTagOptions): string;
  /**
   * Connects, as the first request or subscription does, too. Resolves when events flow.
   *
   * @throws `DjrError` or PostgreSQL's error if no retry would help: there is no schema, or the password is wrong
   */
  start(): Promise<void>;
  /**
   * From now on `healthz` answers 503, so that load balancers send new clients elsewhere. Everything else goes on as before until
   * `stop()`. Call it as long before `stop()` as a load balancer takes to notice.
   */
  drain(): void;
  /** Ends all streams, after telling each client when to reconnect, and closes every connection to the database. */
  stop(): Promise<void>;
  /** The answer of `metrics`, Prometheus text of this instance, for an endpoint of your own. */
  metrics(): Promise<string>;
  /** The answer of `healthz`. */
  health(): Health;
}
