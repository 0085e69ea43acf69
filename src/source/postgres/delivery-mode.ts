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
  /** How many events the feed has delivered since the start. */
  events(): number;
  /** How many of them were published with `store => false`. */
  unstored(): number;
  /** This instance has set the mode: the next sweep should read it at once. */
  onSet(): void;
}

/** Milliseconds between two checks. */
const PERIOD = 200;

/** With fewer events than this in a period, no commits can be queueing for NOTIFY. */
const BUSY = 4;

/** Delivery changes to `sweep` after so many checks in a row at which commits waited. */
const WAITED = 2;

/** Delivery changes back to `notify` when there are fewer events a second than this for so many milliseconds, at first and at most. */
const QUIET_RATE = 50;
const QUIET_FOR = 2000;
const QUIET_FOR_MOST = 60_000;

/** While few events come, the NOTIFY queue is checked at every so many checks, as other apps of the cluster may fill it. */
const QUEUE_EVERY = 5;

/** The share of the setting `queue_limit` to which the NOTIFY queue must have emptied before NOTIFY is used again. */
const EMPTIED = 0.5;

const LOOK = `
  select ${WAITERS} as waiters,
         pg_catalog.pg_notification_queue_usage()::pg_catalog.numeric as usage,
         (select queue_limit::pg_catalog.numeric from djr.settings) as limit`;

/**
 * Decides the delivery mode while the setting `delivery` is `auto`: `sweep` when commits queue for NOTIFY or the NOTIFY queue fills up;
 * back to `notify` when it is quiet and the queue has emptied. Any instance may decide, as all of them set the same sequence.
 */
export class DeliveryMode {
  /** Adapts how many events without a row may be sent while delivery is `sweep`. */
  readonly unstored: UnstoredPace;
  readonly #options: DeliveryModeOptions;
  #status: Status | undefined;
  /** How often the mode changed, as the sweeps read it. */
  switches = 0;
  readonly #looksAt: Periodic;
  #lastEvents = 0;
  #waited = 0;
  #looks = 0;
  #quietSince: number | undefined;
  /** Doubles each time that the quiet turns out to have been a short pause, so that the mode of a busy database does not change all the time. */
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

  /** The mode that the last sweep read. */
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
    // While the NOTIFY queue is full no doorbell can be sent, so this instance sweeps on its own.
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
