import { DjrError } from '../lib/errors.js';
import type { Meter } from '../lib/meter.js';
import { ask } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import { isOfOneRow } from '../postgres/poison.js';

/** A page of this user got (`delivered`) or showed (`read`) this event. */
export interface Acknowledgement {
  readonly userId: string;
  readonly id: number;
  readonly status: 'delivered' | 'read';
}

interface Waiting {
  acknowledgement: Acknowledgement;
  resolve(own: boolean): void;
  reject(error: unknown): void;
}

/** Acknowledgements that may wait, and acknowledgements in one statement. */
const MAX_WAITING = 10_000;
const BATCH = 1000;

/** Milliseconds that one statement may take. */
const ANSWER_TIMEOUT = 10_000;

/**
 * Stores acknowledgements: one statement at a time, with all that came during the last one. However many pages send them at once, they
 * take one connection of the pool.
 */
export class Acknowledger {
  readonly #pool: Pool;
  readonly #instance: string;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  /** How many acknowledgements were for an event of their user. */
  acknowledged = 0;

  constructor(pool: Pool, instance: string) {
    this.#pool = pool;
    this.#instance = instance;
  }

  /**
   * @returns for each acknowledgement whether it is an event of that user
   * @throws {@link DjrError} `DJR_BUSY` if too many wait, or the database's error
   */
  async acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<boolean[]> {
    if (this.#waiting.length + acknowledgements.length > MAX_WAITING) {
      throw new DjrError('DJR_BUSY', 'Too many acknowledgements wait for the database.');
    }
    const answers = acknowledgements.map(
      (acknowledgement) =>
        new Promise<boolean>((resolve, reject) => this.#waiting.push({ acknowledgement, resolve, reject })),
    );
    if (answers.length > 0) this.#running ??= this.#run();
    return Promise.all(answers);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#answer(this.#waiting.splice(0, BATCH));
    }
    // Set in the same turn as the last check of what waits, so that an acknowledgement which comes later starts the next run.
    this.#running = undefined;
  }

  /** If the database refuses one of a batch, the batch is halved until that one stands alone, so that no other is lost. */
  async #answer(batch: Waiting[]): Promise<void> {
    try {
      const own = await this.#store(batch.map(({ acknowledgement }) => acknowledgement));
      for (const [place, { resolve }] of batch.entries()) {
        this.acknowledged += Number(own[place]);
        resolve(own[place]!);
      }
    } catch (error) {
      if (batch.length > 1 && isOfOneRow(error)) {
        const half = Math.ceil(batch.length / 2);
        await this.#answer(batch.slice(0, half));
        await this.#answer(batch.slice(half));
      } else for (const { reject } of batch) reject(error);
    }
  }

  async #store(batch: Acknowledgement[]): Promise<boolean[]> {
    const query = {
      text: 'select pg_catalog.array_to_json(djr._acknowledge($1, $2, $3, $4)) as own',
      values: [
        this.#instance,
        batch.map(({ userId }) => userId),
        batch.map(({ id }) => id),
        batch.map(({ status }) => status),
      ],
    };
    const { rows } = await ask<{ own: boolean[] }>(this.#pool, query, ANSWER_TIMEOUT);
    return rows[0]!.own;
  }

  metrics(meter: Meter): void {
    meter.counter('djr_acknowledged_total', 'Events that their users have acknowledged', () => this.acknowledged);
  }

  /** Resolves when all acknowledgements so far have been stored. */
  async stop(): Promise<void> {
    await this.#running;
  }
}
