import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import { asking } from './ask.js';
import { isPool, type OwnedPool, openPool, type Pool, type PoolSource, type Queryable } from './connect.js';

/** The app's database as one pool, which is opened with the first statement. */
export class Database {
  /** Runs statements; it can be kept before the pool is open. */
  readonly pool: Pool;
  readonly #source: PoolSource;
  readonly #logger: Logger;
  #opened: OwnedPool | undefined;

  constructor(source: PoolSource, logger: Logger) {
    this.#source = source;
    this.#logger = logger;
    this.pool = isPool(source) ? source : this.#lazy();
  }

  /** Opens the pool, without a connection. @throws if its configuration is wrong */
  open(): Pool {
    // The server may end idle connections; the next statement gets another one.
    this.#opened ??= openPool(this.#source, (err) => this.#logger.debug({ err }, 'an idle connection was lost'));
    return this.#opened.pool;
  }

  #lazy(): Pool {
    const opened = () => this.#opened?.pool;
    return {
      connect: ((...all: unknown[]) => (this.open().connect as Method)(...all)) as Pool['connect'],
      query: ((...all: unknown[]) => (this.open().query as Method)(...all)) as Pool['query'],
      get totalCount() {
        return opened()?.totalCount;
      },
      get idleCount() {
        return opened()?.idleCount;
      },
      get waitingCount() {
        return opened()?.waitingCount;
      },
    } as Pool;
  }

  /** A client for statements of the app, which have no time-out. */
  get queryable(): Queryable {
    return asking(this.pool);
  }

  metrics(meter: Meter): void {
    const counts = () => this.#opened?.pool;
    meter.gauges('djr_pool_connections', 'Connections of the pool, by what they do', 'state', () => {
      const pool = counts();
      const { totalCount = 0, idleCount = 0 } = pool ?? {};
      return pool && { busy: totalCount - idleCount, idle: idleCount };
    });
    meter.gauge('djr_pool_waiting', 'Queries that wait for a connection of the pool', () => counts()?.waitingCount);
  }

  /** Ends the pool, unless it belongs to the app. */
  async end(): Promise<void> {
    await this.#opened?.end();
  }
}

type Method = (...all: unknown[]) => unknown;
