import type pg from 'pg';
import { z } from 'zod';
import type { AuthorizeTopic } from './clients/topics/authorizer.js';
import type { EventMap, EventsOf } from './event/event.js';
import type { UserId } from './event/user-id.js';
import { ALLOWABLE, isAllowable, Origins } from './http/guards/origin.js';
import { isProxy } from './http/guards/trusted-proxies.js';
import type { RequestContext } from './http/incoming.js';
import { DjrError } from './lib/errors.js';
import { type Logger, stderrLogger } from './lib/logger.js';
import { nameIssue } from './lib/name-issue.js';
import { connectionOf, isPool, type Pool, type PoolSource } from './postgres/connect.js';
import type { RelayCredentials } from './relay/engine.js';
import type { BeforeSend, OnReceive } from './stream/hooks.js';

export type { UserId };

/**
 * Who the client is; null: anonymous. A Response, or an error thrown, refuses the stream, and so does what no user can have
 * as id (an empty text, a number that is no safe integer, any other value): that is logged as an error. `context.req` is the
 * original request of node:http, with what middlewares have put on it; undefined in `fetch`.
 *
 * With {@link Login.expires} the stream ends when the login does, and its page comes back with a new one. A login that has
 * ended is refused with 401.
 */
export type Authenticate = (request: Request, context: RequestContext) => Authenticated | Promise<Authenticated>;

type Authenticated = UserId | Login | null | undefined | Response;

/**
 * Whether a request may see something: true, and nothing else, lets it in. False, or an error thrown, is 403; a Response
 * (a redirect to the login) is sent as it is.
 */
export type Authorize = (request: Request, context: RequestContext) => boolean | Response | Promise<boolean | Response>;

/** {@link Authorize}, of the admin. */
export type AdminAuthorize = Authorize;

/** The address of a client; null: not known. */
export type ClientAddress = (request: Request, context: RequestContext) => string | null | undefined;

/**
 * What `healthz` tells whom. `public`: the status and every check, everyone. `brief`: the status alone. `off`: nothing, 404.
 * With `authorize` the checks are for those whom it lets in, the status for everyone.
 */
export type HealthAccess = 'public' | 'brief' | 'off' | { authorize: Authorize };

/** Signals that a process can hear. */
export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2' | 'SIGBREAK';

export interface RealtimeOptions<Events extends EventsOf<Events> = EventMap> {
  /**
   * The database: a URI, a pool's configuration, a pool that the app has (a `pg.Pool` of any copy of `pg`, or what behaves
   * like one), or `{ listen, pool }` where the pool goes through a pooler. `listen` must reach PostgreSQL directly. With a
   * pool alone the listener connects by the pool's `options`.
   * @defaultValue `DATABASE_URL`, else libpq's variables
   */
  database?: PoolSource | { listen: string | pg.ClientConfig; pool?: PoolSource };
  /**
   * A relay on NATS JetStream (docs/relay.md). With `database` this instance is a source: it brings the events of PostgreSQL
   * into the relay, and serves clients as well. Without `database` it is an edge: it serves clients from the relay, has no
   * connection to PostgreSQL, and neither publishes nor has an admin. `DATABASE_URL` does not count here.
   * @defaultValue none
   */
  relay?: RelayOptions;
  /** @defaultValue `'/realtime'` */
  basePath?: string;
  /**
   * The base path as browsers see it, where a proxy cuts a part of it off before it asks here. For the script tag, and the links
   * and cookies of the admin. @defaultValue `basePath`
   */
  publicPath?: string;
  /** @defaultValue everyone is anonymous and gets public events only */
  authenticate?: Authenticate;
  /**
   * Whether a user (null: an anonymous client) may hear a topic that a page asks for by name, without a seal. Anything but
   * true, an error and no answer within `hookTimeout` are no.
   * @defaultValue the database's setting `authorize_topic`; where that is not set either, only seals open a topic
   */
  authorizeTopic?: AuthorizeTopic;
  /** Sees each event once an instance, before anything else; returns it (changed or not), or null to stop it. */
  onReceive?: OnReceive<Events>;
  /** Sees each event once for each client; what it changes, it changes for that client. Null: not for this client. */
  beforeSend?: BeforeSend<Events>;
  /** Admin pages; without it they are 404 (docs/admin.md). */
  admin?: { authorize: AdminAuthorize };
  /** Who may read `metrics`. @defaultValue everyone */
  metrics?: { authorize: Authorize };
  /** Who may read what of `healthz`. @defaultValue `'public'` */
  health?: HealthAccess;
  /** @defaultValue warnings and errors on stderr */
  logger?: Logger;
  /**
   * Origins beside the page's own that may open the stream: `https://app.example.com`, `https://*.example.com` for any one
   * subdomain, `capacitor://localhost`. @defaultValue none
   */
  allowedOrigins?: string[];
  /**
   * Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: addresses, networks (`10.0.0.0/8`), or `unix` for
   * those on a Unix socket. @defaultValue none
   */
  trustProxy?: string[];
  /** Says the address of a client, before `trustProxy`, for the limits and the log. @defaultValue that of the connection */
  clientAddress?: ClientAddress;
  /**
   * Signals at which `stop()` is called, once the runtime has been started. Where nobody else listens to the signal, the process
   * then ends by it. @defaultValue none
   */
  stopOn?: StopSignal[];
  /**
   * For servers that load modules anew while they run: the runtime stops the one that was made under the same key before, and takes its
   * place for all who have that one. True: the key is the base path. Two runtimes of one process need keys of their own.
   * @defaultValue false: a runtime lasts until its `stop()`
   */
  hot?: boolean | string;
  /** Milliseconds of silence after which a client gets a heartbeat. @defaultValue 15000; 5000 in Bun, which ends what is quiet for 10 s */
  heartbeat?: number;
  /** Milliseconds a browser waits before it reconnects; each client is told up to half as much more. @defaultValue 2000 */
  retry?: number;
  /** Milliseconds a stream lives, of which each client gets 80 to 100 %; 0: for ever. @defaultValue 3600000 (an hour) */
  lifetime?: number;
  /** Bytes that may wait for one client before it is closed as slow. @defaultValue 1048576 (1 MiB) */
  maxClientBytes?: number;
  /** Milliseconds in which a client reads none of the bytes that wait for it, before it is closed. @defaultValue 30000 */
  writeTimeout?: number;
  /** Streams that this instance holds. @defaultValue 50000 */
  maxConnections?: number;
  /**
   * Streams of one user on this instance; a further one takes the place of the oldest. Anonymous clients do not count.
   * @defaultValue 100
   */
  maxConnectionsPerUser?: number;
  /**
   * Streams of one address on this instance, of IPv6 those of a /64; 0: any number. Behind a proxy it takes `trustProxy`, in
   * `fetch` an address. @defaultValue 0
   */
  maxConnectionsPerAddress?: number;
  /** Requests of one user in a second that acknowledge events, on this instance. @defaultValue 20 */
  maxAcknowledgementsPerUser?: number;
  /** Milliseconds between two sweeps while NOTIFY delivers. @defaultValue 1000 */
  sweepInterval?: number;
  /** Recent events kept in memory, for clients that come back. @defaultValue 10000 */
  historyEvents?: number;
  /** Bytes that those may take. @defaultValue 33554432 (32 MiB) */
  historyBytes?: number;
  /** Events that one client may be behind in storage before it is told `reset`. @defaultValue 10000 */
  resumeLimit?: number;
  /** Milliseconds a hook may take for one event, and `authenticate` for one request. @defaultValue 5000 */
  hookTimeout?: number;
  /** Milliseconds between two proofs that LISTEN is heard. @defaultValue 15000 */
  probeInterval?: number;
  /** Milliseconds between two rounds of pruning, where a retention is set. @defaultValue 60000 */
  pruneInterval?: number;
  /** Whether `metrics` has those of Node as well: heap, event loop, garbage collection. @defaultValue false */
  nodeMetrics?: boolean;
  /** Whether `djr.online` says which users are connected and which topics they hear, and clients of a topic are told. @defaultValue false */
  presence?: boolean;
  /** Milliseconds in which `stop()` lets clients and queries end. @defaultValue 10000 */
  shutdownGrace?: number;
}

export interface RelayOptions {
  /** Addresses of nats-servers: `nats://10.0.0.5:4222`; one with a user and a password logs in with them. */
  servers: string | string[];
  /** Tells several relays on the same servers apart: 1 to 32 letters, digits, `-` and `_`. @defaultValue `'default'` */
  namespace?: string;
  /** The path of a `.creds` file, a user with a password, or a token. @defaultValue what the first address says, else none */
  credentials?: RelayCredentials;
  /** Milliseconds for which the log keeps events; for a source. @defaultValue an hour; what a stream has that is there already stays */
  maxAge?: number;
}

/** A login that ends. */
export interface Login {
  /** null: an anonymous client. */
  userId: UserId | null;
  /** Milliseconds since 1970, or a Date. @defaultValue never by itself */
  expires?: number | Date | undefined;
}

const credentials = z.union(
  [
    z.string().min(1),
    z.strictObject({ user: z.string().min(1), password: z.string() }),
    z.strictObject({ token: z.string().min(1) }),
  ],
  { error: 'must be the path of a .creds file, or an object with user and password, or with token' },
);

const isServer = (text: string): boolean => URL.canParse(/^[a-z]+:\/\//.test(text) ? text : `nats://${text}`);
const servers = z.unknown().transform((value, context): string[] => {
  const list = typeof value === 'string' ? value.split(',') : value;
  const result = z.array(z.string().min(1).refine(isServer)).min(1).safeParse(list);
  if (result.success) return result.data;
  context.addIssue({ code: 'custom', message: 'must be an address like nats://10.0.0.5:4222, or several of them' });
  return z.NEVER;
});

const fn = <T>() => z.custom<T>((value) => typeof value === 'function', 'must be a function');
const milliseconds = (least: number) =>
  z
    .number()
    .int()
    .min(least)
    .max(2 ** 31 - 1);
const count = (least: number) => z.number().int().min(least);
const address = z.union([z.string().min(1), z.record(z.string(), z.unknown())], {
  error: 'must be a URI, or the configuration of a connection',
});
const pool = z.union([z.custom<Pool>(isPool), address], {
  error: 'must be a pool (with the methods connect and query), a URI, or the configuration of a pool',
});
const split = z.strictObject({ listen: address, pool: pool.optional() });

/** Not a union of the two: its errors would not say which key is wrong. */
const database = z.unknown().transform((value, context) => {
  const isSplit = typeof value === 'object' && value !== null && 'listen' in value && !isPool(value);
  const chosen = isSplit ? split : pool;
  const result = chosen.safeParse(value);
  if (result.success) return result.data;
  context.addIssue({ code: 'custom', ...nameIssue(result.error) });
  return z.NEVER;
});

const path = z
  .string()
  .regex(/^(\/[\w.~-]+)*\/?$/, 'must be a path like /realtime')
  .transform((path) => path.replace(/\/$/, ''));

const authorized = z.strictObject({ authorize: fn<Authorize>() });

/** Bun's server ends what is quiet for ten seconds; a heartbeat may come a quarter of its time late. */
const HEARTBEAT = 'bun' in process.versions ? 5000 : 15_000;

const schema = z.strictObject({
  database: database.optional(),
  relay: z
    .strictObject({
      servers,
      namespace: z
        .string()
        .regex(/^[\w-]{1,32}$/, 'must be 1 to 32 letters, digits, - and _')
        .default('default'),
      credentials: credentials.optional(),
      maxAge: z.number().int().min(60_000).optional(),
    })
    .optional(),
  basePath: path.default('/realtime'),
  publicPath: path.optional(),
  authenticate: fn<Authenticate>().optional(),
  authorizeTopic: fn<AuthorizeTopic>().optional(),
  onReceive: fn<OnReceive>().optional(),
  beforeSend: fn<BeforeSend>().optional(),
  admin: authorized.optional(),
  metrics: authorized.optional(),
  health: z
    .unknown()
    .transform((value, context) => {
      if (value === undefined) return 'public' as HealthAccess;
      if (['public', 'brief', 'off'].includes(value as string)) return value as HealthAccess;
      const result = authorized.safeParse(value);
      if (result.success) return result.data as HealthAccess;
      const message = "must be 'public', 'brief', 'off', or an object with authorize, a function";
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .optional(),
  logger: z
    .custom<Logger>(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        ['debug', 'info', 'warn', 'error'].every(
          (level) => typeof (value as Record<string, unknown>)[level] === 'function',
        ),
      'must have the methods debug, info, warn and error, as pino has',
    )
    .default(stderrLogger),
  allowedOrigins: z
    .array(z.string().refine(isAllowable, `must be ${ALLOWABLE}`))
    .default([])
    .transform((entries) => new Origins(entries)),
  trustProxy: z.array(z.string().refine(isProxy, 'must be an address, a network like 10.0.0.0/8, or unix')).default([]),
  clientAddress: fn<ClientAddress>().optional(),
  stopOn: z
    .array(z.enum(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGBREAK'], 'must be a signal like SIGTERM'))
    .default([]),
  hot: z.union([z.boolean(), z.string().min(1)], { error: 'must be true, false, or a text: the key' }).default(false),
  heartbeat: milliseconds(100).default(HEARTBEAT),
  retry: milliseconds(0).default(2000),
  lifetime: milliseconds(0).default(3_600_000),
  maxClientBytes: count(8192).default(1024 * 1024),
  writeTimeout: milliseconds(100).default(30_000),
  maxConnections: count(1).default(50_000),
  maxConnectionsPerUser: count(1).default(100),
  maxConnectionsPerAddress: count(0).default(0),
  maxAcknowledgementsPerUser: count(1).default(20),
  sweepInterval: milliseconds(5).default(1000),
  historyEvents: count(0).default(10_000),
  historyBytes: count(0).default(32 * 1024 * 1024),
  resumeLimit: count(0).default(10_000),
  hookTimeout: milliseconds(1).default(5000),
  probeInterval: milliseconds(50).default(15_000),
  pruneInterval: milliseconds(50).default(60_000),
  nodeMetrics: z.boolean().default(false),
  presence: z.boolean().default(false),
  shutdownGrace: milliseconds(0).default(10_000),
});

export interface ResolvedOptions extends Omit<z.output<typeof schema>, 'database' | 'publicPath' | 'health' | 'hot'> {
  publicPath: string;
  /** The key; undefined: it replaces no other one, and none replaces it. */
  hot: string | undefined;
  health: HealthAccess;
  listen: string | pg.ClientConfig;
  pool: PoolSource;
  /** It has a relay, and no database. */
  isEdge: boolean;
}

/** @throws {@link DjrError} `DJR_CONFIG`: one sentence that names the option. */
export function resolveOptions(options: RealtimeOptions): ResolvedOptions {
  const result = schema.safeParse(options);
  if (!result.success) throw toError(result.error);
  const isEdge = options.relay !== undefined && options.database === undefined;
  const { database = process.env.DATABASE_URL ?? {}, ...given } = result.data as Omit<
    z.output<typeof schema>,
    'database'
  > & { database?: RealtimeOptions['database'] };
  const rest = {
    ...given,
    publicPath: given.publicPath ?? given.basePath,
    health: given.health ?? 'public',
    hot: given.hot === true ? given.basePath : given.hot || undefined,
  };
  if (isEdge) return { ...checkEdge(rest), listen: {}, pool: {}, isEdge };
  if (typeof database === 'object' && 'listen' in database && !isPool(database)) {
    return { ...rest, listen: database.listen, pool: database.pool ?? database.listen, isEdge };
  }
  const source = database as PoolSource;
  const listen = connectionOf(source);
  if (listen === undefined) {
    throw new DjrError('DJR_CONFIG', 'Option database: this pool has no `options` that say where to listen.', {
      hint: 'Give both: database: { listen: process.env.DATABASE_URL, pool }.',
    });
  }
  return { ...rest, listen, pool: source, isEdge };
}

/** @throws {@link DjrError} `DJR_CONFIG` for what an edge cannot do */
function checkEdge<T extends Pick<ResolvedOptions, 'admin' | 'onReceive'>>(options: T): T {
  const refuse = (option: string, why: string, hint: string) =>
    new DjrError('DJR_CONFIG', `Option ${option}: an edge of a relay must not have it: ${why}.`, { hint });
  if (options.admin)
    throw refuse('admin', 'it has no database', 'Have the admin on an instance with the option database.');
  if (options.onReceive) {
    throw refuse('onReceive', 'it runs once, at the sources', 'Give it to the instances with the option database.');
  }
  return options;
}

function toError(error: z.ZodError): DjrError {
  const { path, message } = nameIssue(error);
  return new DjrError('DJR_CONFIG', `Option ${path.join('.') || 'options'}: ${message}.`, {
    hint: 'docs/configuration.md lists the options with their defaults.',
  });
}
