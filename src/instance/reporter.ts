import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import { Periodic } from '../lib/periodic.js';
import type { Finding } from './finding.js';
import type { Reading } from './series.js';

export interface InstanceReporterOptions {
  /** Where the instance writes its row, and which proves that the database answers. */
  source: {
    readonly delivering: boolean;
    readonly unanswered: string;
    ping(): Promise<number | null>;
    report(reading: Reading): Promise<void>;
    withdraw(): Promise<void>;
  };
  /** Returns the figures of the instance for its row. */
  telemetry: { read(queueUsage: number | null): Reading };
  logger: Logger;
}

/** Milliseconds between two reports. */
const PERIOD = 5000;

/** Shares of the NOTIFY queue: from the first one on health warns, from the second one on PostgreSQL itself does. */
const QUEUE_FILLS = 0.1;
const QUEUE_HALF_FULL = 0.5;

/**
 * Every few seconds asks how full the NOTIFY queue is, which also proves that the database answers, and writes the instance's row in
 * `djr.instance`. Nothing waits for it; if it fails, it is tried again in the next round.
 */
export class InstanceReporter {
  readonly #options: InstanceReporterOptions;
  readonly #rounds: Periodic;
  #queueUsage: number | null = null;
  #answered: boolean | undefined;
  #reported = false;
  #failures = 0;

  constructor(options: InstanceReporterOptions) {
    this.#options = options;
    this.#rounds = new Periodic({ period: PERIOD, atOnce: true, round: (stopping) => this.#once(stopping) });
  }

  start(): void {
    this.#rounds.start();
  }

  async #once(stopping: AbortSignal): Promise<void> {
    const { logger, source, telemetry } = this.#options;
    try {
      this.#queueUsage = await source.ping();
      this.#answered = true;
    } catch (err) {
      this.#queueUsage = null;
      this.#answered = false;
      logger.debug({ err }, 'the database did not say how full the NOTIFY queue is');
    }
    const reading = telemetry.read(this.#queueUsage);
    if (!this.#answered || stopping.aborted) return;
    try {
      await source.report(reading);
      this.#reported = true;
    } catch (err) {
      this.#failures += 1;
      logger.debug({ err, failures: this.#failures }, 'could not say in djr.instance that this instance is there');
    }
  }

  findings(): Finding[] {
    return [...this.#ofDatabase(), ...this.#ofQueue()];
  }

  #ofDatabase(): Finding[] {
    const check = 'database';
    if (this.#answered === undefined) return [];
    if (this.#answered) return [{ check, state: 'ok' }];
    const { delivering, unanswered } = this.#options.source;
    // Only a warning while events come: they do not need the pool, and otherwise every instance would leave the load balancer for nothing.
    if (!delivering) return [{ check, state: 'failing', reason: 'the database does not answer' }];
    return [{ check, state: 'warning', reason: unanswered }];
  }

  #ofQueue(): Finding[] {
    const usage = this.#queueUsage;
    if (usage === null) return [];
    if (usage < QUEUE_FILLS) return [{ check: 'queue', state: 'ok' }];
    const why =
      usage >= QUEUE_HALF_FULL
        ? 'when it is full every publish fails; see djr doctor'
        : 'a session that listens is in an open transaction';
    const reason = `the NOTIFY queue is ${(usage * 100).toFixed(1)} % full: ${why}`;
    return [{ check: 'queue', state: 'warning', reason }];
  }

  metrics(meter: Meter): void {
    meter.gauge(
      'djr_notify_queue_usage_ratio',
      "How full PostgreSQL's NOTIFY queue is, 0 to 1, every 5 s",
      () => this.#queueUsage ?? undefined,
    );
    meter.counter(
      'djr_report_failures_total',
      'Times that the instance could not write its row of djr.instance',
      () => this.#failures,
    );
  }

  /** Deletes the instance's row, if the database answers. */
  async stop(): Promise<void> {
    const { logger, source } = this.#options;
    await this.#rounds.stop();
    if (!this.#reported) return;
    await source.withdraw().catch((err: unknown) => {
      logger.debug({ err }, 'could not take this instance out of djr.instance');
    });
  }
}
