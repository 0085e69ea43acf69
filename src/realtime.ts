import { randomBytes } from 'node:crypto';
import type { BatchOptions, ConsumeContext } from './consume/batch.js';
import type { Consumption } from './consume/consumers.js';
import type { ConsumeOptions } from './consume/options.js';
import type { Envelope } from './event/envelope.js';
import type { Detail, EventMap, EventsOf } from './event/event.js';
import type { UserId } from './event/user-id.js';
import { replace } from './hot.js';
import { type FetchHandler, fetchHandler } from './http/adapters/fetch.js';
import { type NodeHandler, nodeHandler } from './http/adapters/node.js';
import { type ScriptTagOptions, scriptTag } from './http/script-tag.js';
import { DjrError } from './lib/errors.js';
import { guarded } from './lib/logger.js';
import { type ResolvedOptions, resolveOptions } from './options.js';
import { Database } from './postgres/database.js';
import { disconnect, recheck } from './publish/orders.js';
import { type Publication, publish } from './publish/publisher.js';
import type { SqlClient } from './publish/sql-client.js';
import type { Realtime } from './realtime-interface.js';
import type { RealtimeOptions } from './realtime-options.js';
import { LifeCycle } from './runtime/life-cycle.js';
import { refuseOnEdge, refuseOnOwnSubjects, sourceOf } from './runtime/source.js';
import { buildStages, type Stages } from './runtime/stages.js';
import type { Subscriber } from './stream/hooks.js';
import type { Health } from './telemetry/health.js';

/**
 * Makes a runtime. It connects at the first request, subscription or `start()`.
 *
 * @typeParam Events - your event types and their details, for typed `publish`, `subscribe` and hooks
 * @throws {@link DjrError} `DJR_CONFIG` when an option is wrong
 */
export function createRealtime<Events extends EventsOf<Events> = EventMap>(
  options?: RealtimeOptions<NoInfer<Events>>,
): Realtime<Events>;
// For `Parameters<typeof createRealtime>`, which takes the last overload.
export function createRealtime(options?: RealtimeOptions): Realtime;
export function createRealtime(options: RealtimeOptions = {}): Realtime {
  const resolved = resolveOptions(options);
  const runtime = new Runtime({ ...resolved, logger: guarded(resolved.logger) });
  return (resolved.hot === undefined ? runtime : replace(resolved.hot, runtime)) as Realtime;
}

class Runtime implements Realtime {
  readonly handler: NodeHandler;
  readonly fetch: FetchHandler;
  readonly #options: ResolvedOptions;
  /** For `publish`, `disconnect`, `recheck` and the admin; the other stages know the source only. */
  readonly #database: Database;
  readonly #life: LifeCycle;
  readonly #stages: Stages;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    // A random name, so that it differs from every other process, and from this one after a restart.
    const instance = BigInt(`0x${randomBytes(6).toString('hex')}`).toString(36);
    const database = new Database(options.pool, options.logger);
    const receive = (envelope: Envelope) => this.#stages.hooks.receive(envelope);
    const source = sourceOf({ options, database, instance, receive });
    this.#database = database;
    this.#life = new LifeCycle({ options, instance, source, database });
    this.#stages = buildStages({ options, instance, source, database, life: this.#life });
    this.handler = nodeHandler(this.#stages.router);
    this.fetch = fetchHandler(this.#stages.router);
  }

  subscribe(
    typeOrSubscriber: string | ((event: never) => unknown),
    subscriber?: (event: never) => unknown,
  ): () => void {
    const type = typeof typeOrSubscriber === 'string' ? typeOrSubscriber : null;
    const own = typeof typeOrSubscriber === 'string' ? subscriber : typeOrSubscriber;
    if (typeof own !== 'function')
      throw new DjrError('DJR_CONFIG', 'subscribe must be given a function, or a type and one.');
    refuseOnOwnSubjects(this.#options, 'subscribe');
    const unsubscribe = this.#stages.hooks.subscribe(type, own as Subscriber);
    // The start logs its errors itself.
    this.start().catch(() => {});
    return unsubscribe;
  }

  consume(
    name: string,
    handler: (events: never, context: ConsumeContext) => unknown,
    options: ConsumeOptions = {},
  ): Consumption {
    this.#life.check();
    refuseOnEdge(this.#options, 'consume');
    const consumption = this.#stages.consumers.consume(name, handler as BatchOptions['handler'], options);
    // The start logs its errors itself; the consumer looks from time to time until events come.
    this.start().catch(() => {});
    return consumption;
  }

  publish(publication: Publication, options?: { client?: SqlClient }): Promise<number>;
  async publish(
    publication: Publication<string, Detail, boolean>,
    options: { client?: SqlClient } = {},
  ): Promise<number | null> {
    return publish(options.client ?? this.#client('publish'), publication);
  }

  async disconnect(userId: UserId, reason?: string, options: { client?: SqlClient } = {}): Promise<void> {
    return disconnect(options.client ?? this.#client('disconnect'), userId, reason);
  }

  async recheck(userId?: UserId | null, topic?: string | null, options: { client?: SqlClient } = {}): Promise<void> {
    return recheck(options.client ?? this.#client('recheck'), userId, topic);
  }

  /** The pool, for a call of the app. */
  #client(what: string): SqlClient {
    this.#life.check();
    refuseOnEdge(this.#options, what);
    return this.#database.queryable;
  }

  scriptTag(options?: ScriptTagOptions): string {
    return scriptTag(this.#options.publicPath, options);
  }

  start(): Promise<void> {
    return this.#life.start();
  }

  drain(): void {
    this.#life.drain();
  }

  stop(): Promise<void> {
    return this.#life.stop();
  }

  health(): Health {
    return this.#stages.telemetry.health();
  }

  async metrics(): Promise<string> {
    const { text } = await this.#stages.telemetry.registry.read();
    return text;
  }
}
