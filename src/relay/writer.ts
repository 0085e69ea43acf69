import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import { backoff } from '../lib/backoff.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import type { LogStatus } from './checkpoint.js';
import { type Claim, claimLog, fillPlaces } from './claim.js';
import { Lead } from './lead.js';
import { encodeLine } from './line.js';
import { type Log, RefusedError } from './log.js';
import { newestCheckpoint } from './reader.js';
import type { Recent } from './recent.js';
import type { Election, Mark, Ring } from './ring.js';
import type { Subjects } from './subjects.js';
import { beginningOf, decide, type Found, findEnd, knownIds } from './takeover.js';

/** The instance on PostgreSQL whose events the writer brings into the log. */
export interface Outlet {
  /** Which history of the database it is. */
  epoch(): string;
  status(): LogStatus;
  /** All that is visible in it has been delivered. */
  reached(): Frontier;
  /** Resolves when all that is visible now has been delivered. */
  catchUp(): Promise<void>;
  /**
   * Reads from storage what is new since a frontier, orders included and what is for the backend only left out.
   *
   * @returns the snapshot that it was read in, or why it cannot be had
   */
  readSince(since: Frontier, onBatch: (envelopes: Envelope[]) => void): Promise<Frontier | { reset: string }>;
}

export interface WriterOptions {
  log: Log;
  subjects: Subjects;
  outlet: Outlet;
  recent: Recent;
  ring: Ring;
  election: Election;
  logger: Logger;
  /** An event without a row: it is for those who are connected now. */
  sendLive(subject: string, text: string): void;
  /** Bytes that the engine takes in one message. */
  maxBytes?: () => number;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
  /** Messages that may be on their way to the engine without an answer. */
  pipeline?: number;
}

/** Milliseconds between two looks at what is to be done. */
const TICK = 50;

/** Milliseconds to the next checkpoint: where there are events, and where there are none. */
const CHECKPOINT = 100;
const IDLE_CHECKPOINT = 1000;

/** Messages on their way without an answer. */
const PIPELINE = 1000;

/** Milliseconds without a checkpoint after which another source takes over, and how often it asks whether it is elected. */
const STALE = 1500;
const ELECTION = 500;

/** Milliseconds to the next take-over, behind one that failed. */
const RETRY = 250;

/** Messages that may wait for the engine: more than that, and the writer begins anew from storage when it answers again. */
const MAX_WAITING = 50_000;

/** Brings what one source delivers into the log, each event once, while this source is the one that writes. */
export class Writer {
  /** Times that this source has taken the log over. */
  takeovers = 0;
  /** Generations that it has begun. */
  generations = 0;
  /** Messages that it has appended. */
  appended = 0;
  /** Events that were too large for the engine. */
  tooLarge = 0;
  /** Appends that were refused, or had no answer. */
  broken = 0;
  readonly #options: WriterOptions;
  readonly #onceLog: OnceLogger;
  readonly #now: () => number;
  readonly #pipeline: number;
  #lead: Lead | undefined;
  #taking: Promise<void> | undefined;
  /** What is delivered while storage is read for a take-over. */
  #meanwhile: Envelope[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;
  #elected = false;
  #asking = false;
  #askedAt = 0;
  #retryAt = 0;
  /** Take-overs in a row that have failed. */
  #failures = 0;
  /** Where in the log that ends which a take-over has brought: it does not count as what the engine is too slow for. */
  #broughtUntil = 0;
  /** When another source's checkpoint came. */
  #heardAt = 0;
  #acknowledged: { readonly generation: string; readonly sequence: number } | undefined;
  /** Terms of this writer. */
  readonly #terms = new Set<string>();
  #tickedAt = 0;
  /** Why the next take-over begins a generation with what comes from now on. */
  #gap: string | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#pipeline = options.pipeline ?? PIPELINE;
    this.#now = options.now ?? (() => performance.now());
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
        if (this.#fits(envelope, line)) sendLive(subjects.live(subjects.event(generation, envelope.audience)), line);
      }
      return;
    }
    recent.push(envelope);
    this.#meanwhile?.push(envelope);
    const lead = this.#lead;
    if (!lead) return;
    this.#append(lead, envelope);
    const { acknowledged, waiting } = lead.chain;
    if (acknowledged >= this.#broughtUntil && waiting > MAX_WAITING)
      this.#breaks(lead, new Error('the engine is too slow'));
  }

  /** A checkpoint is in the log, whoever wrote it. @param claim - the sequence, where it is a claim */
  hear(term: string, claim?: number): void {
    if (this.#terms.has(term)) return;
    this.#heardAt = this.#now();
    const lead = this.#lead;
    // Mostly the next message is refused as well. It is not where the engine has lost this source's own claim meanwhile.
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
    await this.#options.election.yield().catch(() => {});
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
    if (!this.#elected) this.#ask(now);
    if (lead || this.#taking || now < this.#retryAt) return;
    if (!this.#elected && now - this.#heardAt < STALE) return;
    this.#taking = this.#takeOver()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#taking = undefined;
      });
  }

  #ask(now: number): void {
    if (this.#asking || now - this.#askedAt < ELECTION) return;
    this.#asking = true;
    this.#askedAt = now;
    this.#options.election
      .win()
      .then(
        (won) => {
          this.#elected = won;
        },
        () => {},
      )
      .finally(() => {
        this.#asking = false;
      });
  }

  #failed(error: unknown): void {
    this.#meanwhile = undefined;
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
    if (!this.#elected) return;
    this.#elected = false;
    this.#askedAt = this.#now() + ELECTION;
    this.#options.election.yield().catch(() => {});
  }

  async #takeOver(): Promise<void> {
    const { log, outlet, ring, logger, subjects } = this.#options;
    await log.prepare();
    const found = await findEnd(log, subjects);
    const { checkpoint } = found;
    const marks = await ring.marks();
    const decision = this.#gap === undefined ? decide(found, outlet.epoch(), marks, this.#acknowledged) : this.#gap;
    const term = randomBytes(4).readUInt32BE().toString(36).padStart(7, '0').slice(-6);
    this.#terms.add(term);
    if (decision === undefined) {
      const known = knownIds(found);
      const { generation, said } = checkpoint!;
      await this.#claim(found, { goOn: true, generation, frontier: said.frontier, known, term });
      return;
    }
    if (this.#gap !== undefined) await outlet.catchUp();
    const generation = newGeneration();
    const reached = outlet.reached();
    const frontier = this.#gap === undefined ? beginningOf(found, reached, marks) : reached;
    // Before the engine has it: whoever takes over next knows which generation it has to find.
    await ring.record({ generation, sequence: 0, frontier });
    const level = marks.length === 0 && !checkpoint ? 'info' : 'warn';
    logger[level]({ generation, reason: decision }, 'the relay begins a new generation of its log');
    this.generations += 1;
    await this.#claim(found, { goOn: false, generation, frontier, known: new Set(), term });
  }

  async #claim(found: Found, claim: Claim): Promise<void> {
    const { outlet } = this.#options;
    const claimed = await claimLog(this.#options, found, claim, outlet.status());
    const fillers = found.last > 0 ? this.#pipeline : 0;
    if (fillers > 0) await fillPlaces(this.#options, claimed, claim.generation, fillers);
    if (this.#stopped) return;
    const missing = await this.#missing(claim.frontier);
    if (!this.#stopped) this.#begin(claimed, fillers, claim, missing);
  }

  /** What has been delivered or stored since a frontier. What is delivered behind it is in `#meanwhile`. */
  async #missing(frontier: Frontier): Promise<readonly Envelope[]> {
    const { outlet, recent } = this.#options;
    await outlet.catchUp();
    this.#meanwhile = [];
    recent.restarted(outlet.status().startedAt);
    if (recent.covers(frontier)) return recent.since(frontier);
    const found: Envelope[] = [];
    const result = await outlet.readSince(frontier, (envelopes) => {
      for (const envelope of envelopes) found.push(envelope);
    });
    if (!('reset' in result)) return found;
    this.#gap = result.reset;
    throw new Error(`the log of the relay cannot go on where it ends: ${result.reset}`);
  }

  /** From here on what is delivered comes into the log at once. */
  #begin(claimed: number, fillers: number, claim: Claim, missing: readonly Envelope[]): void {
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
    const meanwhile = this.#meanwhile ?? [];
    this.#meanwhile = undefined;
    this.#gap = undefined;
    this.#lead = lead;
    this.#failures = 0;
    this.takeovers += 1;
    this.#acknowledged = { generation, sequence: claimed };
    this.#onceLog.end('the relay writes its log again');
    logger.info({ generation, sequence: claimed }, 'this source writes the log of the relay');
    for (const envelope of [...missing, ...meanwhile]) {
      if (known.has(envelope.id)) continue;
      known.add(envelope.id);
      this.#append(lead, envelope);
    }
    lead.complete();
    this.#broughtUntil = lead.chain.next - 1;
  }

  /** The engine takes no message beyond its bound, and all behind that one would wait for ever. */
  #append(lead: Lead, envelope: Envelope): void {
    const line = encodeLine(envelope);
    if (this.#fits(envelope, line)) lead.append(envelope, line);
  }

  /** Counts and says where not: `djr_relay_too_large_total`. */
  #fits(envelope: Envelope, line: string): boolean {
    const limit = this.#options.maxBytes?.();
    const bytes = Buffer.byteLength(line);
    if (limit === undefined || bytes <= limit) return true;
    this.tooLarge += 1;
    const level = this.tooLarge === 1 ? 'error' : 'debug';
    const message =
      "an event is larger than the relay takes, and does not reach edges: raise nats-server's max_payload";
    this.#options.logger[level]({ event: envelope.id, bytes, limit }, message);
    return false;
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
    // Somebody else writes: only where this one was paused, or cut off from the engine, can that be.
    if (error instanceof RefusedError) this.#step();
  }
}

/** Tells one log from every other; later ones sort behind earlier ones. */
const newGeneration = (): string =>
  `${Math.floor(Date.now() / 1000).toString(36)}${randomBytes(3).readUIntBE(0, 3).toString(36).padStart(4, '0').slice(-4)}`;
