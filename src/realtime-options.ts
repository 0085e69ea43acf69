import type pg from 'pg';
import type { AuthorizeTopic } from './clients/topics/authorizer.js';
import type { EventMap, EventsOf } from './event/event.js';
import type { UserId } from './event/user-id.js';
import type { RequestContext } from './http/incoming.js';
import type { Logger } from './lib/logger.js';
import type { PoolSource } from './postgres/connect.js';
import type { RelayCredentials } from './relay/credentials.js';
import type { BeforeSend, OnReceive } from './stream/hooks.js';

/**
 * Says which user a client is; null: an anonymous client. A Response, or an error thrown, refuses the stream. So does a value that no user
 * can have as id (an empty text, a number that is no safe integer, any other value), which is logged as an error. `context.req` is the
 * original request of node:http, with the properties that middlewares have set; undefined in `fetch`.
 *
 * With {@link Login.expires} the stream ends when the login does, and its page reconnects with a new login. A login that has expired is
 * refused with 401.
 */
export type Authenticate = (request: Request, context: RequestContext) => Authenticated | Promise<Authenticated>;

type Authenticated = UserId | Login | null | undefined | Response;

/**
 * Says whether a request is let in. Only `true` lets it in. False, or an error thrown, is answered with 403; a Response (such as a redirect
 * to the login) is sent as it is.
 */
export type Authorize = (request: Request, context: RequestContext) => boolean | Response | Promise<boolean | Response>;

/** {@link Authorize} for the admin. */
export type AdminAuthorize = Authorize;

/** Says the address of a client; null: it is not known. */
export type ClientAddress = (request: Request, context: RequestContext) => string | null | undefined;

/**
 * What `healthz` shows. `public`: everyone sees the status and every check. `brief`: everyone sees the status alone. `off`: it is 404. With
 * `authorize` everyone sees the status, and those whom it lets in see the checks.
 */
export type HealthAccess = 'public' | 'brief' | 'off' | { authorize: Authorize };

/** Signals that a process can hear. */
export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2' | 'SIGBREAK';

export interface RealtimeOptions<Events extends EventsOf<Events> = EventMap> {
  /**
   * A URI, the configuration of a pool, a pool of the app (a `pg.Pool` of any copy of `pg`, or an object that behaves like one), or
   * `{ listen, pool }` if the pool goes through a pooler: [database](docs/configuration.md#database).
   * @defaultValue `DATABASE_URL`, else libpq's variables
   */
  database?: PoolSource | { listen: string | pg.ClientConfig; pool?: PoolSource };
  /**
   * `{ servers, namespace, credentials, interest, maxAge }`: a [relay](docs/relay.md) on NATS JetStream. With `database` this instance is a source: it
   * writes the events of PostgreSQL into the relay, and serves clients as well. Without `database` it is an edge: it serves clients from the
   * relay, has no connection to PostgreSQL, and neither publishes nor has an admin. `DATABASE_URL` does not count here.
   * @defaultValue none
   */
  relay?: RelayOptions;
  /** The path below which all routes are. @defaultValue `'/realtime'` */
  basePath?: string;
  /**
   * The base path as browsers see it, if a proxy removes a part of it. It is used in the script tag and in the links and cookies of the
   * admin. @defaultValue `basePath`
   */
  publicPath?: string;
  /**
   * `(request, { req }) => userId`, async or not; null: an anonymous client, which gets public events and the topics that it may hear.
   * `{ userId, expires }` ends the stream when the login expires: [who the client is](docs/configuration.md#authenticate).
   * @defaultValue everyone is anonymous
   */
  authenticate?: Authenticate;
  /**
   * `(userId, topic) => boolean`, async or not: whether a user (null: an anonymous client) may hear a topic that a page asks for by name,
   * without a seal. Only `true` means yes; an error, or no answer within `hookTimeout`, means no. The setting `authorize_topic` is then asked,
   * if it is set: [rooms](docs/rooms.md#who-may-hear-it).
   * @defaultValue the setting `authorize_topic`; if that is not set either, only seals open a topic
   */
  authorizeTopic?: AuthorizeTopic;
  /**
   * `(event) => event`, changed or not, or null to stop it. Called once on each instance for every event, before anything else:
   * [hooks](docs/configuration.md#hooks).
   */
  onReceive?: OnReceive<Events>;
  /**
   * `(event, client) => event`, or null: the client does not get the event. Called for each client that would get an event, and its changes
   * are for that client only. `client` has `userId` and `request`: [hooks](docs/configuration.md#hooks).
   */
  beforeSend?: BeforeSend<Events>;
  /**
   * `{ authorize: (request, { req }) => boolean }`: who may see the pages of the [admin](docs/admin.md). Only `true` lets in; false, or an
   * error, is answered with 403; a `Response`, returned or thrown, is sent as it is. @defaultValue the pages are 404
   */
  admin?: { authorize: AdminAuthorize };
  /** `{ authorize }`, as for the admin: who may read `metrics`. @defaultValue everyone */
  metrics?: { authorize: Authorize };
  /**
   * What `healthz` shows. `'public'`: everyone sees the status and every check. `'brief'`: everyone sees the status alone. `'off'`: it is 404.
   * With `{ authorize }` everyone sees the status, and those whom it lets in see the checks. @defaultValue `'public'`
   */
  health?: HealthAccess;
  /**
   * An object with `debug`, `info`, `warn` and `error`, called as pino is: `(context, message)`. No detail, private data or token is
   * logged. @defaultValue warnings and errors on stderr
   */
  logger?: Logger;
  /**
   * Other origins whose pages may open the stream with cookies: `https://app.example.com`, `https://*.example.com` for any one subdomain,
   * `capacitor://localhost`: [other origins](docs/http.md#other-origins). @defaultValue none
   */
  allowedOrigins?: string[];
  /**
   * Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted: addresses, networks (`10.0.0.0/8`), or `unix` for those on a
   * Unix socket: [behind a proxy](docs/http.md#behind-a-proxy). @defaultValue none
   */
  trustProxy?: string[];
  /**
   * `(request, { req }) => address`, or null: says the address of a client, for the limits and the log. It takes precedence over `trustProxy`.
   * @defaultValue the connection's address
   */
  clientAddress?: ClientAddress;
  /**
   * Signals, such as `SIGTERM`, at which `stop()` is called, once the runtime has been started: for servers that wait for open answers before
   * they say that they end. If nothing else in the process listens to the signal, the process then ends by it. @defaultValue none
   */
  stopOn?: StopSignal[];
  /**
   * For servers that load modules anew while they run (Vite, Next, Nuxt): the runtime stops the earlier one with the same key and replaces it,
   * also in code that holds the earlier one. True: the key is the base path. Two runtimes in one process need different keys. What subscribes
   * must be loaded anew with it. @defaultValue false
   */
  hot?: boolean | string;
  /**
   * Milliseconds of silence after which a client gets a heartbeat, so that proxies keep the connection. In Bun the default is 5000, as its
   * server ends what is quiet for 10 s. @defaultValue 15000
   */
  heartbeat?: number;
  /**
   * Milliseconds a browser waits before it reconnects; each client is told up to half as much more. djr's own client waits a random time
   * up to what it was told. @defaultValue 2000
   */
  retry?: number;
  /**
   * Milliseconds after which a stream ends; each client gets 80 to 100 % of them, then reconnects and resumes, so that logins are checked again
   * and load spreads. 0: never. @defaultValue 3600000 (an hour)
   */
  lifetime?: number;
  /** Bytes that may wait for one client before it is closed as slow. @defaultValue 1048576 (1 MiB) */
  maxClientBytes?: number;
  /** Milliseconds after which a client is closed that reads none of the bytes that wait for it. @defaultValue 30000 */
  writeTimeout?: number;
  /** Streams that this instance may have, with requests that are to become one; more are answered with 503. @defaultValue 50000 */
  maxConnections?: number;
  /**
   * Streams that one user may have on this instance; a further one replaces the oldest: [limits](docs/http.md#limits). Anonymous clients do
   * not count. @defaultValue 100
   */
  maxConnectionsPerUser?: number;
  /**
   * Streams that one address (with IPv6 one /64 network) may have on this instance; more are answered with 429. 0: any number. Behind a proxy
   * it needs `trustProxy`, in `fetch` an address. @defaultValue 0
   */
  maxConnectionsPerAddress?: number;
  /**
   * Requests to acknowledge events that one user may send in a second, on this instance; more are answered with 429.
   * @defaultValue 20
   */
  maxAcknowledgementsPerUser?: number;
  /** Milliseconds between two sweeps while NOTIFY delivers. @defaultValue 1000 */
  sweepInterval?: number;
  /** Events that are kept in memory, the newest ones, for clients that reconnect. 0: none. @defaultValue 10000 */
  historyEvents?: number;
  /** Bytes that those events may take. @defaultValue 33554432 (32 MiB) */
  historyBytes?: number;
  /** Events that a resume may read from storage for one client; with more it is told `reset`. @defaultValue 10000 */
  resumeLimit?: number;
  /**
   * Milliseconds a hook may take for one event, after which it counts as an error of that hook; and `authenticate` for one request, which is
   * then answered with 503. @defaultValue 5000
   */
  hookTimeout?: number;
  /** Milliseconds between two probes whether LISTEN is heard. @defaultValue 15000 */
  probeInterval?: number;
  /** Milliseconds between two rounds of pruning, if a retention is set. @defaultValue 60000 */
  pruneInterval?: number;
  /** Whether `metrics` includes Node's own: heap, event loop, garbage collection. For one instance a process. @defaultValue false */
  nodeMetrics?: boolean;
  /**
   * Whether the instance records in `djr.online` which users are connected and which topics they hear, and tells the clients of a topic:
   * [who is here](docs/rooms.md#who-is-here). @defaultValue false
   */
  presence?: boolean;
  /** Milliseconds for which `stop()` waits until clients and queries have ended. @defaultValue 10000 */
  shutdownGrace?: number;
}

export interface RelayOptions {
  /** Addresses of nats-servers: `nats://10.0.0.5:4222`; one that an instance reaches is enough. An address may have a user and a password. */
  servers: string | string[];
  /**
   * Tells several relays on the same servers apart: 1 to 32 letters, digits, `-` and `_`. The stream's name is `DJR_` and this.
   * @defaultValue `'default'`
   */
  namespace?: string;
  /** The path of a `.creds` file, `{ user, password }` or `{ token }`. @defaultValue those in the first address, else none */
  credentials?: RelayCredentials;
  /**
   * What an edge takes in: `'all'` events, or only its `'own'` clients', which costs an edge with few of them less:
   * [own subjects](docs/relay.md#the-whole-log-or-own-subjects). `realtime.subscribe` needs all. A source has all events in either case.
   * @defaultValue `'all'`
   */
  interest?: 'all' | 'own';
  /**
   * Milliseconds for which the log keeps events; for a source. Where it is given, an existing stream is changed to it.
   * @defaultValue an hour for a new stream; an existing stream keeps its own
   */
  maxAge?: number;
}

/** A login that may expire. */
export interface Login {
  /** null: an anonymous client. */
  userId: UserId | null;
  /** When the login expires: milliseconds since 1970, or a Date. @defaultValue never by itself */
  expires?: number | Date | undefined;
}
