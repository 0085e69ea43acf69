import pg from 'pg';
import { hasManyHosts, ManyHostsClient } from './hosts.js';
import { asLibpq } from './libpq.js';

/** A pool as djr uses it. `pg.Pool` is one, of whatever copy of `pg`, and so is what wraps one and behaves like it. */
export type Pool = Pick<pg.Pool, 'query' | 'connect'> &
  Partial<Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount'>>;

/** What reaches the database: a URI, a pool's configuration, or a pool that the app has. */
export type PoolSource = string | pg.PoolConfig | Pool;

/** By what it can do: an app has a `pg` of its own, whose classes are not ours. */
export const isPool = (value: unknown): value is Pool =>
  typeof value === 'object' &&
  value !== null &&
  ['connect', 'query'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function') &&
  // A client has both as well, and is one connection.
  typeof (value as Record<string, unknown>).escapeIdentifier !== 'function';

const NAME = 'djr';

/** A silent network cut is noticed by the kernel's probes on connections that would otherwise wait for ever. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

const toConfig = (source: string | pg.ClientConfig): pg.ClientConfig => ({
  application_name: NAME,
  connectionTimeoutMillis: 10_000,
  ...KEEP_ALIVE,
  ...(typeof source === 'string' ? { connectionString: source } : source),
});

/**
 * A client that is not connected yet.
 *
 * @param own - what this client has beside the address
 * @throws {@link DjrError} `DJR_CONFIG`, or the error of `pg`, for an address that cannot be read
 */
export function newClient(source: string | pg.ClientConfig, own: pg.ClientConfig = {}): pg.Client {
  const config = { ...toConfig(source), ...own };
  return hasManyHosts(config) ? new ManyHostsClient(config) : new pg.Client(asLibpq(config));
}

/** A pool that connects as {@link newClient} does. */
export function newPool(source: string | pg.PoolConfig): pg.Pool {
  const config: pg.PoolConfig = { max: 10, ...toConfig(source) };
  return new pg.Pool(hasManyHosts(config) ? { ...config, Client: ManyHostsClient } : asLibpq(config));
}

/** What only a pool knows what to do with. */
const OF_POOLS = [
  'max',
  'min',
  'idleTimeoutMillis',
  'maxUses',
  'maxLifetimeSeconds',
  'allowExitOnIdle',
  'log',
  'verify',
  'onConnect',
  'Client',
  'Promise',
];

/** How a single connection is made to where the pool leads; undefined where the pool does not say. */
export function connectionOf(source: PoolSource): string | pg.ClientConfig | undefined {
  if (typeof source === 'string') return source;
  const config = isPool(source) ? (source as { options?: pg.PoolConfig }).options : source;
  if (typeof config !== 'object' || config === null) return undefined;
  const rest = Object.fromEntries(Object.entries(config).filter(([name]) => !OF_POOLS.includes(name)));
  // A pool hides these from whoever prints its options.
  return { ...rest, ...(config.password !== undefined && { password: config.password }) };
}

export interface OwnedPool {
  readonly pool: Pool;
  /** Ends it, unless it is the app's. */
  end(): Promise<void>;
}

export function openPool(source: PoolSource, onError: (error: Error) => void): OwnedPool {
  if (isPool(source)) return { pool: source, end: async () => {} };
  const pool = newPool(source);
  // An idle connection that the server ends is replaced at the next use.
  pool.on('error', onError);
  return { pool, end: () => pool.end() };
}

/** A `pg.Pool`, or a client inside a transaction of the caller's. */
export type Queryable = Pick<pg.ClientBase, 'query'>;
