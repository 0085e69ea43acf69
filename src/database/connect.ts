import pg from 'pg';

/** What reaches the database: a URI, a pool's configuration, or a pool that the app has. */
export type PoolSource = string | pg.PoolConfig | pg.Pool;

const NAME = 'djr';

/** A silent network cut is noticed by the kernel's probes on connections that would otherwise wait for ever. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

export function toConfig(source: string | pg.ClientConfig): pg.ClientConfig {
  const config = typeof source === 'string' ? { connectionString: source } : source;
  return { application_name: NAME, connectionTimeoutMillis: 10_000, ...KEEP_ALIVE, ...config };
}

export interface OwnedPool {
  readonly pool: pg.Pool;
  /** Ends it, unless it is the app's. */
  end(): Promise<void>;
}

export function openPool(source: PoolSource, onError: (error: Error) => void): OwnedPool {
  if (source instanceof pg.Pool) return { pool: source, end: async () => {} };
  const pool = new pg.Pool({ max: 10, ...toConfig(source) });
  // An idle connection that the server ends is replaced at the next use.
  pool.on('error', onError);
  return { pool, end: () => pool.end() };
}

/** No retry mends these: wrong password, no such role or database, or a schema that is not ours to use. */
const HOPELESS = new Set(['28P01', '28000', '3D000', 'DJR_SCHEMA', 'DJR_VERSION', 'DJR_STANDBY', 'DJR_ROW_SECURITY']);

export const isHopeless = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && HOPELESS.has(error.code as string);

/** 100 ms doubling to 10 s, each time a random part of it: instances do not come back all at once. */
export const backoff = (failures: number): number =>
  Math.random() * Math.min(10_000, 100 * 2 ** Math.min(failures, 10));
