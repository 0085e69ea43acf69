import { LogLimit } from '../../lib/log-limit.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';
import { ANSWER_TIMEOUT } from '../../postgres/answer.js';
import { ask } from '../../postgres/ask.js';
import type { Pool } from '../../postgres/connect.js';
import { WAITERS } from './commit-queue.js';
import type { Status } from './status.js';

export interface UnstoredPaceOptions {
  pool: Pool;
  logger: Logger;
  /** How many events with `store => false` this instance has heard since its start. */
  unstored(): number;
}

/** At how many looks in a row commits must have waited before fewer events may pass. */
const WAITED = 2;

/**
 * Sets how many events with `store => false` may pass while delivery is `sweep`. They are all that djr notifies for then.
 * When commits still queue for NOTIFY, half as many may pass. When none queue and some events were dropped, more may pass.
 */
export class UnstoredPace {
  /** How many events were dropped in the whole database since djr was installed in it. */
  dropped = 0;
  readonly #options: UnstoredPaceOptions;
  readonly #log: LogLimit;
  #heard = 0;
  #waited = 0;
  /** {@link dropped} at the last look. */
  #seen: number | undefined;

  constructor(options: UnstoredPaceOptions) {
    this.#options = options;
    this.#log = new LogLimit(options.logger);
  }

  onStatus({ dropped }: Status): void {
    // Events dropped before this instance started are not logged: another instance has done so.
    if (this.#seen !== undefined && dropped > this.dropped) {
      const message = 'events with store => false were dropped, as too many came while delivery sweeps';
      this.#log.say('warn', 'dropped', { dropped }, message);
    }
    this.#seen ??= dropped;
    this.dropped = dropped;
  }

  metrics(meter: Meter): void {
    meter.counter(
      'djr_unstored_dropped_total',
      'Events with store => false that were dropped, as too many came while delivery sweeps: of the whole database, and each instance says the same',
      () => this.dropped,
    );
  }

  /** Called every 200 ms while delivery is `sweep`. It asks PostgreSQL only if an event with `store => false` came since the last look. */
  async look(): Promise<void> {
    const { pool, unstored } = this.#options;
    const heard = unstored();
    if (heard === this.#heard) return;
    this.#heard = heard;
    const { rows } = await ask<{ waiters: number }>(pool, { text: `select ${WAITERS} as waiters` }, ANSWER_TIMEOUT);
    const queueing = rows[0]!.waiters > 0;
    this.#waited = queueing ? this.#waited + 1 : 0;
    const slower = this.#waited >= WAITED;
    const faster = !queueing && this.dropped > (this.#seen ?? 0);
    this.#seen = this.dropped;
    if (!slower && !faster) return;
    this.#waited = 0;
    await ask(pool, { text: 'select djr.pace_unstored($1::pg_catalog.bool)', values: [slower] }, ANSWER_TIMEOUT);
  }
}
