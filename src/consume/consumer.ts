import { backoff } from '../lib/backoff.js';
import { codeOf } from '../lib/error-code.js';
import { DjrError, fromPostgres } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import { ANSWER_TIMEOUT } from '../postgres/answer.js';
import { asking } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
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

/** Milliseconds behind the second look in a row that found nothing, though something was published. */
const REST = 50;

/** Milliseconds that PostgreSQL has to end what is given up. */
const CANCEL = 1000;

interface Filters {
  types: string[] | null;
  topics: string[] | null;
}

const isConflict = (error: unknown): boolean =>
  [SERIALIZATION_FAILURE, DEADLOCK_DETECTED].includes(codeOf(error) ?? '');

/** Takes batch after batch of one consumer; it looks when an event is delivered that may be for it, and from time to time. */
export class Consumer {
  readonly name: string;
  /** Events that were handled, and batches that failed. */
  events = 0;
  failures = 0;
  readonly #options: ConsumerOptions;
  readonly #giveUp = new AbortController();
  readonly #running: Promise<void>;
  readonly #said = new Set<string>();
  #filters: Filters | undefined;
  #stopped = false;
  #woken = false;
  #end: (() => void) | undefined;
  #isWakeable = false;
  /** Failures since a batch succeeded. */
  #attempts = 0;
  /** Events that are tried one by one, so that the one that fails is known. */
  #suspects = 0;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.name = options.name;
    this.#running = this.#run();
  }

  /** An event was delivered on this instance. */
  wake(type: string, topic: string | null): void {
    if (this.#woken) return;
    const { types, topics } = this.#filters ?? { types: null, topics: null };
    if (types && !types.includes(type)) return;
    if (topics && (topic === null || !topics.includes(topic))) return;
    this.look();
  }

  /** There may be events that nobody announces. */
  look(): void {
    this.#woken = true;
    if (this.#isWakeable) this.#end?.();
  }

  /** Resolves when the batch that runs has ended. @param grace - milliseconds after which it is given up */
  async stop(grace: number): Promise<void> {
    this.#stopped = true;
    this.#end?.();
    const timers: NodeJS.Timeout[] = [];
    const late = new Promise<void>((resolve) => {
      timers.push(
        setTimeout(() => this.#giveUp.abort(), grace),
        setTimeout(resolve, grace + CANCEL),
      );
    });
    await Promise.race([this.#running, late]);
    for (const timer of timers) clearTimeout(timer);
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

  /** Each thing once, until it goes on. */
  #say(context: { err: unknown; [name: string]: unknown }, message: string): void {
    const known = this.#said.has(message);
    this.#said.add(message);
    this.#options.logger[known ? 'debug' : 'error'](context, message);
  }

  /** Makes the consumer where that was asked for, and reads for what it is to be woken. */
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
          // Another process was faster.
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
    // Without it the batch says what is missing.
    return filters ?? { types: null, topics: null };
  }

  /** @param wakeable - an event ends it; else only a stop does */
  #pause(milliseconds: number, wakeable: boolean): Promise<void> {
    if (this.#stopped || (wakeable && this.#woken)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#end = undefined;
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#end = end;
      this.#isWakeable = wakeable;
    });
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
