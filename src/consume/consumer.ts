import { backoff } from '../lib/backoff.js';
import { inTime } from '../lib/deadline.js';
import { codeOf } from '../lib/error-code.js';
import { DjrError } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { sleep } from '../lib/sleep.js';
import { ANSWER_TIMEOUT } from '../postgres/answer.js';
import { asking } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import { fromPostgres } from '../postgres/schema-error.js';
import { select } from '../postgres/select.js';
import { DEADLOCK_DETECTED, INSUFFICIENT_PRIVILEGE, SERIALIZATION_FAILURE } from '../postgres/sqlstate.js';
import { BatchError, type BatchOptions, runBatch } from './batch.js';
import type { ResolvedConsumeOptions } from './options.js';

export interface ConsumerOptions extends ResolvedConsumeOptions {
  pool(): Pool;
  logger: Logger;
  name: string;
  handler: BatchOptions['handler'];
}

/** Milliseconds to wait after a second look in a row found nothing although an event was published, and the least after a failure. */
const REST = 50;

/** Milliseconds that PostgreSQL has to end a batch that is given up. */
const CANCEL = 1000;

interface Filters {
  types: string[] | null;
  topics: string[] | null;
}

const isConflict = (error: unknown): boolean =>
  [SERIALIZATION_FAILURE, DEADLOCK_DETECTED].includes(codeOf(error) ?? '');

/** Runs one consumer: takes batch after batch, whenever an event is delivered that may be for it, and from time to time anyway. */
export class Consumer {
  readonly name: string;
  /** How many events were handled, and how many batches failed. */
  events = 0;
  failures = 0;
  readonly #options: ConsumerOptions;
  readonly #giveUp = new AbortController();
  readonly #running: Promise<void>;
  readonly #said = new Set<string>();
  #filters: Filters | undefined;
  #stopped = false;
  #woken = false;
  /** Ends the current pause. */
  #pausing: AbortController | undefined;
  #isWakeable = false;
  /** Failures since the last batch that succeeded. */
  #attempts = 0;
  /** How many events are still tried one by one, to find the one that fails. */
  #suspects = 0;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.name = options.name;
    this.#running = this.#run();
  }

  /** An event was delivered on this instance: looks for events if it may be for this consumer. */
  wake(type: string, topic: string | null): void {
    if (this.#woken) return;
    const { types, topics } = this.#filters ?? { types: null, topics: null };
    if (types && !types.includes(type)) return;
    if (topics && (topic === null || !topics.includes(topic))) return;
    this.look();
  }

  /** Looks for events now, as there may be some that were not announced. */
  look(): void {
    this.#woken = true;
    if (this.#isWakeable) this.#pausing?.abort();
  }

  /** Takes no further batch. Resolves when the running batch has ended. @param grace - milliseconds after which it is given up */
  async stop(grace: number): Promise<void> {
    this.#stopped = true;
    this.#pausing?.abort();
    const ended = this.#running.then(() => true);
    if (await inTime(ended, grace)) return;
    this.#giveUp.abort();
    await inTime(ended, CANCEL);
  }

  async #run(): Promise<void> {
    let empty = 0;
    while (!this.#stopped) {
      this.#woken = false;
      const count = await this.#once();
      if (count === undefined) await this.#pause(Math.max(REST, backoff(this.#attempts)), false);
      empty = count === 0 ? empty + 1 : 0;
      if (empty > 1) await this.#pause(REST, false);
      if (empty > 0) await this.#pause(this.#options.pollInterval * (0.75 + Math.random() / 2), true);
    }
  }

  /** @returns how many events were handled; undefined: it failed */
  async #once(): Promise<number | undefined> {
    const { batch, handler, mode, name, pool, timeout } = this.#options;
    try {
      this.#filters ??= await this.#prepare();
      const size = this.#suspects > 0 ? 1 : batch;
      const giveUp = this.#giveUp.signal;
      const count = await runBatch({ pool: pool(), name, size, mode, handler, timeout, giveUp });
      this.#worked(count);
      return count;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #worked(count: number): void {
    this.events += count;
    this.#suspects = Math.max(0, this.#suspects - count);
    this.#attempts = 0;
    if (this.#said.size > 0) this.#options.logger.info({ consumer: this.name }, `consumer ${this.name} goes on`);
    this.#said.clear();
  }

  #failed(error: unknown): void {
    this.#attempts += 1;
    const context = { consumer: this.name, attempt: this.#attempts };
    if (!(error instanceof BatchError)) {
      this.#filters = undefined;
      const hint = hintOf(error);
      this.#say({ ...context, err: error }, `consumer ${this.name} cannot go on; will try again${hint}`);
      return;
    }
    const err = error.cause;
    if (isConflict(err)) {
      this.#options.logger.debug({ ...context, err }, `consumer ${this.name} met another transaction; will try again`);
      return;
    }
    this.failures += 1;
    const [first] = error.events;
    const last = error.events.at(-1)!;
    if (first === last) {
      const { id, type } = last;
      this.#suspects = Math.max(1, this.#suspects);
      this.#say(
        { ...context, err, event: id, type },
        `consumer ${this.name} failed on event ${id} (${type}); will try again, and what is behind it waits`,
      );
    } else {
      this.#suspects = error.events.length;
      this.#say(
        { ...context, err, first: first!.id, last: last.id },
        `consumer ${this.name} failed on events ${first!.id} to ${last.id}; will try them one by one`,
      );
    }
  }

  /** Logs each message once as an error, until the consumer goes on. */
  #say(context: { err: unknown; [name: string]: unknown }, message: string): void {
    const known = this.#said.has(message);
    this.#said.add(message);
    this.#options.logger[known ? 'debug' : 'error'](context, message);
  }

  /** Creates the consumer if that was asked for, and reads its filters, by which it is woken. */
  async #prepare(): Promise<Filters> {
    const { create, logger, name, pool } = this.#options;
    const client = asking(pool(), ANSWER_TIMEOUT);
    const read = () =>
      select<Filters>(
        client,
        `select pg_catalog.to_json(types) as types, pg_catalog.to_json(topics) as topics
           from djr._consumer where name operator(pg_catalog.=) $1`,
        [name],
      );
    let [filters] = await read();
    if (create && !filters) {
      const { from, types, topics } = create;
      await select(client, 'select djr.create_consumer($1, $2, $3, $4)', [name, from, types, topics]).catch(
        (error: unknown) => {
          // Another process has created it meanwhile.
          if (codeOf(error) !== 'DJR21') throw fromPostgres(error);
        },
      );
      [filters] = await read();
    } else if (create && filters && !isSame(create, filters)) {
      logger.warn(
        { consumer: name },
        `consumer ${name} has other types or topics than were asked for; drop it and create it again to change them`,
      );
    }
    // If there is no such consumer, the next batch reports it.
    return filters ?? { types: null, topics: null };
  }

  /** Waits. @param wakeable - an event ends the pause; otherwise only a stop does */
  async #pause(milliseconds: number, wakeable: boolean): Promise<void> {
    if (this.#stopped || (wakeable && this.#woken)) return;
    this.#pausing = new AbortController();
    this.#isWakeable = wakeable;
    await sleep(milliseconds, this.#pausing.signal);
  }
}

const isSame = (one: Filters, other: Filters): boolean => {
  const sorted = (list: string[] | null) => JSON.stringify(list && [...new Set(list)].sort());
  return sorted(one.types) === sorted(other.types) && sorted(one.topics) === sorted(other.topics);
};

function hintOf(error: unknown): string {
  if (error instanceof DjrError && error.hint) return `. ${error.hint}`;
  return codeOf(error) === INSUFFICIENT_PRIVILEGE ? ". As the schema's owner: select djr.grant_consume(ROLE)" : '';
}
