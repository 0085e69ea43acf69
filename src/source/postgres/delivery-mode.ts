import type { Logger } from '../../lib/logger.js';
import { type Meter, toGauge } from '../../lib/meter.js';
import { Periodic } from '../../lib/periodic.js';
import { ANSWER_TIMEOUT } from '../../postgres/answer.js';
import { ask } from '../../postgres/ask.js';
import type { Pool } from '../../postgres/connect.js';
import { WAITERS } from './commit-queue.js';
import type { Status } from './status.js';
import { UnstoredPace } from './unstored-pace.js';

export interface DeliveryModeOptions {
  pool: Pool;
  logger: Logger;
  /** Events that the feed has taken in since the start. */
  events(): number;
  /** Those of them that were published with `store => false`. */
  unstored(): number;
  /** This instance has set the mode: the next sweep should read it at once. */
  onSet(): void;
}

/** Milliseconds between two looks. */
const PERIOD = 200;

/** Fewer events than this in a period, and no commit can be queueing for another's NOTIFY. */
const BUSY = 4;

/** Looks in a row at which commits were seen to wait before delivery goes over to sweeping. */
const WAITED = 2;

/** Events a second below which NOTIFY holds nobody up, and for how many milliseconds they must stay below. */
const QUIET_RATE = 50;
const QUIET_FOR = 2000;
const QUIET_FOR_MOST = 60_000;

/** Looks between two at the NOTIFY queue while few events come: other apps of the cluster may fill it. */
const QUEUE_EVERY = 5;

/** Share of the setting `queue_limit` to which the NOTIFY queue must have emptied before NOTIFY is used again. */
const EMPTIED = 0.5;

const LOOK = `
  select ${WAITERS} as waiters,
         pg_catalog.pg_notification_queue_usage()::pg_catalog.numeric as usage,
         (select queue_limit::pg_catalog.numeric from djr.settings) as limit`;

/**
 * Decides for `delivery => 'auto'`: to `sweep` when commits queue behind NOTIFY or its queue fills up, back to `notify` when
 * it is quiet and the queue has emptied.
 * Any instance may decide; what they set is one sequence, so that it does not matter which.
 */
export class DeliveryMode {
  /** How many events without a row may pass while delivery is `sweep`. */
  readonly unstored: UnstoredPace;
  readonly #options: DeliveryModeOptions;
  #status: Status | undefined;
  /** Changes of the mode, as the sweeps saw them. */
  switches = 0;
  readonly #looksAt: Periodic;
  #lastEvents = 0;
  #waited = 0;
  #looks = 0;
  #quietSince: number | undefined;
  /** Grows each time that quiet turns out to have been a pause, so that a busy database is not switched to and fro. */
  #quietFor = QUIET_FOR;
  #switchedBack = Number.NEGATIVE_INFINITY;

  constructor(options: DeliveryModeOptions) {
    this.#options = options;
    this.unstored = new UnstoredPace(options);
    this.#looksAt = new Periodic({
      period: PERIOD,
      round: () =>
        this.#look().catch((err: unknown) => options.logger.debug({ err }, 'could not look at who waits to commit')),
    });
  }

  /** As the last sweep read it. */
  get current(): Status['mode'] | undefined {
    return this.#status?.mode;
  }

  start(): void {
    this.#lastEvents = this.#options.events();
    this.#looksAt.start();
  }

  onStatus(status: Status): void {
    if (this.#status && this.#status.mode !== status.mode) this.switches += 1;
    this.#status = status;
    this.unstored.onStatus(status);
  }

  async #look(): Promise<void> {
    const events = this.#options.events();
    const came = events - this.#lastEvents;
    this.#lastEvents = events;
    if (this.#status?.mode === 'sweep') await this.unstored.look();
    if (this.#status?.delivery !== 'auto') return;
    if (this.#status.mode === 'notify') await this.#lookForWaiters(came);
    else await this.#lookForQuiet(came);
  }

  async #lookForWaiters(came: number): Promise<void> {
    this.#quietSince = undefined;
    this.#looks += 1;
    if (came < BUSY) {
      this.#waited = 0;
      if (this.#looks % QUEUE_EVERY !== 0) return;
    }
    const { waiters, usage, limit } = await this.#ask();
    if (usage >= limit) {
      const message = 'the NOTIFY queue fills up: delivery goes over to sweeping; `djr doctor` names who holds it up';
      await this.#set('sweep', message);
      return;
    }
    if (came < BUSY) return;
    this.#waited = waiters > 0 ? this.#waited + 1 : 0;
    if (this.#waited < WAITED) return;
    this.#waited = 0;
    const soon = performance.now() - this.#switchedBack < 10_000;
    this.#quietFor = soon ? Math.min(this.#quietFor * 2, QUIET_FOR_MOST) : QUIET_FOR;
    await this.#set('sweep', 'commits queue behind NOTIFY: delivery goes over to sweeping');
  }

  async #lookForQuiet(came: number): Promise<void> {
    const now = performance.now();
    if (came > (QUIET_RATE * PERIOD) / 1000) {
      this.#quietSince = undefined;
      return;
    }
    this.#quietSince ??= now;
    if (now - this.#quietSince < this.#quietFor) return;
    this.#quietSince = undefined;
    const { usage, limit } = await this.#ask();
    if (usage > limit * EMPTIED) return;
    this.#switchedBack = now;
    await this.#set('notify', 'it is quiet: delivery goes back to NOTIFY');
  }

  async #ask(): Promise<{ waiters: number; usage: number; limit: number }> {
    const { pool } = this.#options;
    const { rows } = await ask<{ waiters: number; usage: number; limit: number }>(pool, { text: LOOK }, ANSWER_TIMEOUT);
    return rows[0]!;
  }

  async #set(mode: Status['mode'], message: string): Promise<void> {
    const { logger, onSet, pool } = this.#options;
    const query = { text: 'select djr.set_delivery_mode($1) as set', values: [mode] };
    const { rows } = await ask<{ set: boolean }>(pool, query, ANSWER_TIMEOUT);
    if (!rows[0]!.set) return;
    logger.info({ mode }, message);
    // Nobody may have been rung: there is no NOTIFY while the queue is full.
    onSet();
  }

  metrics(meter: Meter): void {
    meter.gauge('djr_delivery_sweeping', '1 while delivery is by sweeping, 0 while it is by NOTIFY', () =>
      toGauge(this.current && this.current === 'sweep'),
    );
    meter.counter('djr_delivery_switches_total', 'Changes of how events are delivered', () => this.switches);
    this.unstored.metrics(meter);
  }

  stop(): Promise<void> {
    return this.#looksAt.stop();
  }
}
