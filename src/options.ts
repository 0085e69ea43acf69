import type pg from 'pg';
import { z } from 'zod';
import type { AuthorizeTopic } from './clients/topics/authorizer.js';
import { ALLOWABLE, isAllowable, Origins } from './http/guards/origin.js';
import { isProxy } from './http/guards/trusted-proxies.js';
import { DjrError } from './lib/errors.js';
import { type Logger, stderrLogger } from './lib/logger.js';
import { nameIssue } from './lib/name-issue.js';
import { connectionOf, isPool, type Pool, type PoolSource } from './postgres/connect.js';
import type { Authenticate, Authorize, ClientAddress, HealthAccess, RealtimeOptions } from './realtime-options.js';
import type { BeforeSend, OnReceive } from './stream/hooks.js';

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

/** Not a zod union of the two, whose errors would not say which key is wrong. */
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

/** Bun's server ends a connection that is quiet for ten seconds, and a heartbeat may be late by a quarter of its interval. */
const HEARTBEAT = 'bun' in process.versions ? 5000 : 15_000;

export const RELAY_OPTIONS = z.strictObject({
  servers,
  namespace: z
    .string()
    .regex(/^[\w-]{1,32}$/, 'must be 1 to 32 letters, digits, - and _')
    .default('default'),
  credentials: credentials.optional(),
  interest: z.enum(['all', 'own'], "must be 'all' or 'own'").default('all'),
  maxAge: z.number().int().min(60_000).optional(),
});

/** The options of `createRealtime`: what each may be, and what it is where it is not given. */
export const OPTIONS = z.strictObject({
  database: database.optional(),
  relay: RELAY_OPTIONS.optional(),
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

export interface ResolvedOptions extends Omit<z.output<typeof OPTIONS>, 'database' | 'publicPath' | 'health' | 'hot'> {
  publicPath: string;
  /** The key under which the runtime replaces an earlier one; undefined: it replaces none and is not replaced. */
  hot: string | undefined;
  health: HealthAccess;
  listen: string | pg.ClientConfig;
  pool: PoolSource;
  /** Whether it has a relay and no database. */
  isEdge: boolean;
}

/** Validates options and fills in defaults. @throws {@link DjrError} `DJR_CONFIG`: one sentence that names the option */
export function resolveOptions(options: RealtimeOptions): ResolvedOptions {
  const result = OPTIONS.safeParse(options);
  if (!result.success) throw toError(result.error);
  const isEdge = options.relay !== undefined && options.database === undefined;
  const { database = process.env.DATABASE_URL ?? {}, ...given } = result.data as Omit<
    z.output<typeof OPTIONS>,
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

/** @throws {@link DjrError} `DJR_CONFIG` for an option that an edge cannot have */
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
