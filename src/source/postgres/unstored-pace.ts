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
  /** Events with `store => false` that were heard since the start. */
  unstored(): number;
}

/** Looks in a row at which commits were seen to wait before fewer events may pass. */
const WAITED = 2;

/**
 * How many events with `store => false` may pass while delivery is `sweep`. Nothing else of djr's notifies then: where commits
 * queue for NOTIFY all the same, half as many may pass; where they do not and some were dropped, more.
 */
export class UnstoredPace {
  /** Events that were dropped, in the whole database and since it has djr. */
  dropped = 0;
  readonly #options: UnstoredPaceOptions;
  readonly #log: LogLimit;
  #heard = 0;
  #waited = 0;
  /** What was dropped by the last look. */
  #seen: number | undefined;

  constructor(options: UnstoredPaceOptions) {
    this.#options = options;
    this.#log = new LogLimit(options.logger);
  }

  onStatus({ dropped }: Status): void {
    // What was dropped before the start another instance has said.
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

  /** Every 200 ms while delivery is `sweep`. Where nothing without a row has come it asks nothing. */
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
