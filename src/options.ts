import type pg from 'pg';
import { z } from 'zod';
import { connectionOf, isPool, type Pool, type PoolSource } from './database/connect.js';
import type { BeforeSend, OnReceive } from './delivery/hooks.js';
import { DjrError } from './errors.js';
import { type Logger, stderrLogger } from './logger.js';
import type { UserId } from './user-id.js';

export type { UserId };

/**
 * Who the client is; null: anonymous. A Response, or an error thrown, refuses the stream, and so does what no user can have
 * as id (an empty text, a number that is no safe integer, any other value): that is logged as an error.
 */
export type Authenticate = (
  request: Request,
) => UserId | null | undefined | Response | Promise<UserId | null | undefined | Response>;

/**
 * Whether a request may see the admin: true, and nothing else, lets it in. False, or an error thrown, is 403; a Response
 * (a redirect to the login) is sent as it is.
 */
export type AdminAuthorize = (request: Request) => boolean | Response | Promise<boolean | Response>;

export interface RealtimeOptions {
  /**
   * The database: a URI, a pool's configuration, a pool that the app has (a `pg.Pool` of any copy of `pg`, or what behaves
   * like one), or `{ listen, pool }` where the pool goes through a pooler. `listen` must reach PostgreSQL directly. With a
   * pool alone the listener connects by the pool's `options`.
   * @defaultValue `DATABASE_URL`, else libpq's variables
   */
  database?: PoolSource | { listen: string | pg.ClientConfig; pool?: PoolSource };
  /** @defaultValue `'/realtime'` */
  basePath?: string;
  /** @defaultValue everyone is anonymous and gets public events only */
  authenticate?: Authenticate;
  /** Sees each event once an instance, before anything else; returns it (changed or not), or null to stop it. */
  onReceive?: OnReceive;
  /** Sees each event once for each client; what it changes, it changes for that client. Null: not for this client. */
  beforeSend?: BeforeSend;
  /** Admin pages; without it they are 404 (docs/admin.md). */
  admin?: { authorize: AdminAuthorize };
  /** @defaultValue warnings and errors on stderr */
  logger?: Logger;
  /** Origins beside the page's own that may open the stream, e.g. `https://app.example.com`. @defaultValue none */
  allowedOrigins?: string[];
  /** Milliseconds of silence after which a client gets a heartbeat. @defaultValue 15000 */
  heartbeat?: number;
  /** Milliseconds a browser waits before it reconnects; each client is told up to half as much more. @defaultValue 2000 */
  retry?: number;
  /** Milliseconds a stream lives, of which each client gets 80 to 100 %; 0: for ever. @defaultValue 0 */
  lifetime?: number;
  /** Bytes that may wait for one client before it is closed as slow. @defaultValue 1048576 (1 MiB) */
  maxClientBytes?: number;
  /** Milliseconds in which a client reads none of the bytes that wait for it, before it is closed. @defaultValue 30000 */
  writeTimeout?: number;
  /** Streams that this instance holds. @defaultValue 50000 */
  maxConnections?: number;
  /** Streams of one user on this instance; anonymous clients do not count. @defaultValue 100 */
  maxConnectionsPerUser?: number;
  /** Streams of one address on this instance; 0: any number, as behind a proxy that hides addresses. @defaultValue 0 */
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
  /** Milliseconds in which `stop()` lets clients and queries end. @defaultValue 10000 */
  shutdownGrace?: number;
}

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

const schema = z.strictObject({
  database: database.optional(),
  basePath: z
    .string()
    .regex(/^(\/[\w.~-]+)*\/?$/, 'must be a path like /realtime')
    .default('/realtime')
    .transform((path) => path.replace(/\/$/, '')),
  authenticate: fn<Authenticate>().optional(),
  onReceive: fn<OnReceive>().optional(),
  beforeSend: fn<BeforeSend>().optional(),
  admin: z.strictObject({ authorize: fn<AdminAuthorize>() }).optional(),
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
    .array(z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, 'must be an origin'))
    .default([]),
  heartbeat: milliseconds(100).default(15_000),
  retry: milliseconds(0).default(2000),
  lifetime: milliseconds(0).default(0),
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
  shutdownGrace: milliseconds(0).default(10_000),
});

export interface ResolvedOptions extends Omit<z.output<typeof schema>, 'database'> {
  listen: string | pg.ClientConfig;
  pool: PoolSource;
}

/** @throws {@link DjrError} `DJR_CONFIG`: one sentence that names the option. */
export function resolveOptions(options: RealtimeOptions): ResolvedOptions {
  const result = schema.safeParse(options);
  if (!result.success) throw toError(result.error);
  const { database = process.env.DATABASE_URL ?? {}, ...rest } = result.data as Omit<
    z.output<typeof schema>,
    'database'
  > & { database?: RealtimeOptions['database'] };
  if (typeof database === 'object' && 'listen' in database && !isPool(database)) {
    return { ...rest, listen: database.listen, pool: database.pool ?? database.listen };
  }
  const source = database as PoolSource;
  const listen = connectionOf(source);
  if (listen === undefined) {
    throw new DjrError('DJR_CONFIG', 'Option database: this pool has no `options` that say where to listen.', {
      hint: 'Give both: database: { listen: process.env.DATABASE_URL, pool }.',
    });
  }
  return { ...rest, listen, pool: source };
}

function toError(error: z.ZodError): DjrError {
  const { path, message } = nameIssue(error);
  return new DjrError('DJR_CONFIG', `Option ${path.join('.') || 'options'}: ${message}.`, {
    hint: 'docs/configuration.md lists the options with their defaults.',
  });
}

/** The first thing that is wrong: an option that there is not counts as one, too. */
function nameIssue(error: z.ZodError): { path: PropertyKey[]; message: string } {
  const issue = error.issues[0]!;
  if (issue.code !== 'unrecognized_keys') return { path: issue.path, message: issue.message };
  return { path: [...issue.path, issue.keys[0]!], message: 'there is no such option' };
}
