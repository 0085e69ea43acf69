import pg from 'pg';
import { hasManyHosts, ManyHostsClient } from './hosts.js';
import { asLibpq } from './libpq.js';

/** A pool as djr uses it: a `pg.Pool` of any copy of `pg`, or an object that wraps one and behaves like it. */
export type Pool = Pick<pg.Pool, 'query' | 'connect'> &
  Partial<Pick<pg.Pool, 'totalCount' | 'idleCount' | 'waitingCount'>>;

/** How to reach the database: a URI, the configuration of a pool, or a pool of the app. */
export type PoolSource = string | pg.PoolConfig | Pool;

/** Whether a value is a pool. It is recognized by its methods, because an app may have another copy of `pg` with other classes. */
export const isPool = (value: unknown): value is Pool =>
  typeof value === 'object' &&
  value !== null &&
  ['connect', 'query'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function') &&
  // A client has both methods as well, but it is only one connection.
  typeof (value as Record<string, unknown>).escapeIdentifier !== 'function';

const NAME = 'djr';

/** With these options the kernel notices a network that was cut without notice, on connections that would otherwise wait for ever. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

const toConfig = (source: string | pg.ClientConfig): pg.ClientConfig => ({
  application_name: NAME,
  connectionTimeoutMillis: 10_000,
  ...KEEP_ALIVE,
  ...(typeof source === 'string' ? { connectionString: source } : source),
});

/**
 * Makes a client that is not connected yet.
 *
 * @param own - options of this client beside the address
 * @throws {@link DjrError} `DJR_CONFIG`, or the error of `pg`, if the address cannot be read
 */
export function newClient(source: string | pg.ClientConfig, own: pg.ClientConfig = {}): pg.Client {
  const config = { ...toConfig(source), ...own };
  return hasManyHosts(config) ? new ManyHostsClient(config) : new pg.Client(asLibpq(config));
}

/** Makes a pool that connects as {@link newClient} does. */
export function newPool(source: string | pg.PoolConfig): pg.Pool {
  const config: pg.PoolConfig = { max: 10, ...toConfig(source) };
  return new pg.Pool(hasManyHosts(config) ? { ...config, Client: ManyHostsClient } : asLibpq(config));
}

/** Options that concern pools only. */
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

/** How to make a single connection to the pool's database; undefined if the pool does not tell. */
export function connectionOf(source: PoolSource): string | pg.ClientConfig | undefined {
  if (typeof source === 'string') return source;
  const config = isPool(source) ? (source as { options?: pg.PoolConfig }).options : source;
  if (typeof config !== 'object' || config === null) return undefined;
  const rest = Object.fromEntries(Object.entries(config).filter(([name]) => !OF_POOLS.includes(name)));
  // A pool makes these properties non-enumerable, so that printing its options does not show them.
  return { ...rest, ...(config.password !== undefined && { password: config.password }) };
}

export interface OwnedPool {
  readonly pool: Pool;
  /** Ends the pool, unless it belongs to the app. */
  end(): Promise<void>;
}

export function openPool(source: PoolSource, onError: (error: Error) => void): OwnedPool {
  if (isPool(source)) return { pool: source, end: async () => {} };
  const pool = newPool(source);
  // An idle connection that the server ends is replaced when the pool is used next.
  pool.on('error', onError);
  return { pool, end: () => pool.end() };
}

/** A `pg.Pool`, or a client inside a transaction of the caller. */
export type Queryable = Pick<pg.ClientBase, 'query'>;
