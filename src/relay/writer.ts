import { setTimeout as pause } from 'node:timers/promises';
import type { Envelope } from '../event/envelope.js';
import { backoff } from '../lib/backoff.js';
import { OnceLogger } from '../lib/once-logger.js';
import { Candidacy } from './candidacy.js';
import { Lead } from './lead.js';
import { encodeLine } from './line.js';
import { RefusedError } from './log.js';
import { newestCheckpoint } from './reader.js';
import type { Election, Mark } from './ring.js';
import { SizeLimit } from './size-limit.js';
import { type Succeeded, Succession, type SuccessionOptions } from './succession.js';

export interface WriterOptions extends Omit<SuccessionOptions, 'isStopped' | 'onSucceeded' | 'pipeline'> {
  election: Election;
  /** An event without a row: it is for those who are connected now. */
  sendLive(subject: string, text: string): void;
  /** Bytes that the engine takes in one message. */
  maxBytes?: () => number;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
  /** Messages that may be on their way to the engine without an answer. */
  pipeline?: number;
  /** Of {@link Lead}. */
  maxEntries?: number;
}

/** Milliseconds between two looks at what is to be done. */
const TICK = 50;

/** Milliseconds to the next checkpoint: where there are events, and where there are none. */
const CHECKPOINT = 100;
const IDLE_CHECKPOINT = 1000;

/** Messages on their way without an answer. */
const PIPELINE = 1000;

/** Milliseconds without a checkpoint after which another source takes over. */
const STALE = 1500;

/** Milliseconds to the next take-over, behind one that failed. */
const RETRY = 250;

/** Messages that may wait for the engine: more than that, and the writer begins anew from storage when it answers again. */
const MAX_WAITING = 50_000;

/** Brings what one source delivers into the log, each event once, while this source is the one that writes. */
export class Writer {
  /** Times that this source has taken the log over. */
  takeovers = 0;
  /** Messages that it has appended. */
  appended = 0;
  /** Appends that were refused, or had no answer. */
  broken = 0;
  readonly #options: WriterOptions;
  readonly #onceLog: OnceLogger;
  readonly #now: () => number;
  readonly #pipeline: number;
  readonly #candidacy: Candidacy;
  readonly #sizes: SizeLimit;
  readonly #succession: Succession;
  #lead: Lead | undefined;
  #taking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;
  #retryAt = 0;
  /** Take-overs in a row that have failed. */
  #failures = 0;
  /** Sequence of the last message that a take-over brought: these do not count as waiting for a slow engine. */
  #broughtUntil = 0;
  /** When another source's checkpoint came. */
  #heardAt = 0;
  #acknowledged: { readonly generation: string; readonly sequence: number } | undefined;
  #tickedAt = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#pipeline = options.pipeline ?? PIPELINE;
    this.#now = options.now ?? (() => performance.now());
    this.#sizes = new SizeLimit(options.logger, options.maxBytes ?? (() => Number.POSITIVE_INFINITY));
    this.#candidacy = new Candidacy(options.election);
    this.#succession = new Succession({
      ...options,
      pipeline: this.#pipeline,
      isStopped: () => this.#stopped,
      onSucceeded: (succeeded) => this.#begin(succeeded),
    });
  }

  /** Events that were too large for the engine. */
  get tooLarge(): number {
    return this.#sizes.count;
  }

  /** Generations that it has begun. */
  get generations(): number {
    return this.#succession.generations;
  }

  /** Whether this source writes. */
  get leads(): boolean {
    return this.#lead !== undefined;
  }

  /** Milliseconds since another source's checkpoint came; 0 while this source writes. */
  get silence(): number {
    return this.#lead ? 0 : this.#now() - this.#heardAt;
  }

  get generation(): string | undefined {
    return this.#lead?.generation;
  }

  /** Messages that the engine has not acknowledged. */
  get waiting(): number {
    const chain = this.#lead?.chain;
    return chain ? chain.next - 1 - chain.acknowledged : 0;
  }

  start(): void {
    this.#stopped = false;
    this.#heardAt = this.#now();
    this.#tickedAt = this.#heardAt;
    this.#timer = setInterval(() => this.tick(), TICK);
  }

  /** The next event that this source delivers. */
  take(envelope: Envelope): void {
    const { recent, sendLive, subjects } = this.#options;
    if (envelope.audience === undefined && envelope.scope !== 'control') return;
    if (envelope.xid === null) {
      const { generation } = this;
      if (generation !== undefined && envelope.audience !== undefined) {
        const line = encodeLine(envelope);
        if (this.#sizes.fits(envelope, line))
          sendLive(subjects.live(subjects.event(generation, envelope.audience)), line);
      }
      return;
    }
    recent.push(envelope);
    this.#succession.take(envelope);
    const lead = this.#lead;
    if (!lead) return;
    this.#append(lead, envelope);
    const { acknowledged, waiting } = lead.chain;
    if (acknowledged >= this.#broughtUntil && waiting > MAX_WAITING)
      this.#breaks(lead, new Error(`at most ${MAX_WAITING} messages may wait for the engine, and more do`));
  }

  /** A checkpoint is in the log, whoever wrote it. @param claim - the sequence, where it is a claim */
  hear(term: string, claim?: number): void {
    if (this.#succession.isOwn(term)) return;
    this.#heardAt = this.#now();
    const lead = this.#lead;
    // The next message would be refused anyway, unless the engine has lost this source's own claim meanwhile.
    if (lead && claim !== undefined && claim >= lead.claimed)
      this.#breaks(lead, new RefusedError('the log was claimed'));
  }

  /** The database was replaced: what comes is of another history. */
  renew(): void {
    const lead = this.#lead;
    if (lead) this.#breaks(lead, new Error('the database was replaced or restored'));
  }

  /** Brings all that is visible now into the log. @returns the sequence of a checkpoint behind it; undefined: this source does not write */
  async flush(): Promise<number | undefined> {
    if (!this.#lead) return undefined;
    await this.#options.outlet.catchUp();
    return this.#lead?.checkpoint();
  }

  /** Another source may take over at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const lead = this.#lead;
    if (lead && !lead.chain.broken) {
      lead.checkpoint();
      for (let i = 0; i < 20 && this.waiting > 0 && this.#lead; i += 1) await pause(10);
    }
    lead?.chain.end();
    this.#lead = undefined;
    await this.#candidacy.end();
  }

  /** Does what is to be done by now: it is called every few milliseconds. */
  tick(): void {
    if (this.#stopped) return;
    const now = this.#now();
    const lead = this.#lead;
    // If this process itself stalled, the other source is not blamed for that time.
    if (now - this.#tickedAt > STALE / 2) this.#heardAt = now;
    this.#tickedAt = now;
    if (lead) {
      const wait = lead.isDirty ? CHECKPOINT : IDLE_CHECKPOINT;
      if (now - lead.checkpointAt >= wait) lead.checkpoint();
    }
    this.#candidacy.ask(now);
    if (lead || this.#taking || now < this.#retryAt) return;
    if (!this.#candidacy.isElected && now - this.#heardAt < STALE) return;
    this.#taking = this.#succession
      .run(this.#acknowledged)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#taking = undefined;
      });
  }

  #failed(error: unknown): void {
    this.#retryAt = this.#now() + RETRY;
    if (this.#stopped) return;
    // If the claim was refused, another source is taking the log over.
    if (error instanceof RefusedError) {
      this.#step();
      return;
    }
    // Each attempt is a thousand messages that every edge takes in.
    this.#failures += 1;
    if (this.#failures > 1) this.#retryAt += backoff(this.#failures);
    this.#onceLog.say('error', { err: error }, 'the log of the relay cannot be taken over; will try again');
  }

  /** Another source writes: this one waits until it is gone. */
  #step(): void {
    this.#heardAt = this.#now();
    this.#candidacy.step(this.#heardAt);
  }

  /** From here on what is delivered comes into the log at once. */
  #begin({ claim, claimed, fillers, missing }: Succeeded): void {
    const { generation, known } = claim;
    const { log, logger, outlet, subjects } = this.#options;
    const lead: Lead = new Lead({
      log,
      subjects,
      outlet,
      claim,
      claimed,
      fillers,
      pipeline: this.#pipeline,
      maxEntries: this.#options.maxEntries,
      now: this.#now,
      onBroken: (error) => this.#breaks(lead, error),
      onAcknowledged: () => {
        this.appended += 1;
        this.#acknowledged = { generation, sequence: lead.chain.acknowledged };
      },
      onMark: (sequence, frontier) => {
        this.#mark(lead, { generation, sequence, frontier }).catch((err: unknown) => {
          logger.debug({ err }, 'could not remember in PostgreSQL how far the log of the relay is');
        });
      },
    });
    this.#lead = lead;
    this.#failures = 0;
    this.takeovers += 1;
    this.#acknowledged = { generation, sequence: claimed };
    this.#onceLog.end('the relay writes its log again');
    logger.info({ generation, sequence: claimed }, 'this source writes the log of the relay');
    for (const envelope of missing) {
      if (known.has(envelope.id)) continue;
      known.add(envelope.id);
      this.#append(lead, envelope);
    }
    lead.complete();
    this.#broughtUntil = lead.chain.next - 1;
  }

  #append(lead: Lead, envelope: Envelope): void {
    const line = encodeLine(envelope);
    if (this.#sizes.fits(envelope, line)) lead.append(envelope, line);
  }

  /** Remembers how far the log is, where it is still this source's. */
  async #mark(lead: Lead, mark: Mark): Promise<void> {
    const { log, ring, subjects } = this.#options;
    const newest = await newestCheckpoint(log, subjects, true);
    if (this.#lead !== lead) return;
    if (newest?.said.term === lead.term) await ring.record(mark);
    else this.#breaks(lead, new RefusedError('the log was claimed, or is gone'));
  }

  #breaks(lead: Lead, error: unknown): void {
    if (this.#lead !== lead) return;
    lead.chain.end();
    this.#lead = undefined;
    this.broken += 1;
    if (this.#stopped) return;
    this.#onceLog.say('warn', { err: error }, 'the log of the relay did not take a message; taking it over anew');
    // Another source writes, which is possible only if this one was paused or cut off from the engine.
    if (error instanceof RefusedError) this.#step();
  }
}
