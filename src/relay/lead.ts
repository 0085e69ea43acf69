import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import { hashAudience, NOTHING_HASH, ORDER_HASH } from './audience-hash.js';
import { Chain } from './chain.js';
import { encodeCheckpoint, type LogStatus } from './checkpoint.js';
import type { Claim } from './claim.js';
import { toRuns } from './id-runs.js';
import type { Log } from './log.js';
import type { Subjects } from './subjects.js';
import { Transaction, UNNAMED } from './transaction.js';

export interface LeadOptions {
  log: Log;
  subjects: Subjects;
  outlet: { status(): LogStatus; reached(): Frontier };
  claim: Claim;
  /** Sequence of the claim, and the fillers behind it. */
  claimed: number;
  fillers: number;
  /** Messages that may be on their way without an answer. */
  pipeline: number;
  /** Messages between two checkpoints. @defaultValue 1000 */
  maxEntries?: number | undefined;
  now(): number;
  onBroken(error: unknown): void;
  onAcknowledged(): void;
  /** All that is visible in the frontier is in the log up to this sequence, and the engine has said so. */
  onMark(sequence: number, frontier: Frontier): void;
}

const MAX_ENTRIES = 1000;

/** Milliseconds between two marks in PostgreSQL, and from the beginning to the first. */
const MARK = 10_000;
const FIRST_MARK = 1000;

/** The log while this source writes it, from a claim on. */
export class Lead {
  readonly chain: Chain;
  readonly generation: string;
  readonly term: string;
  /** Sequence of the claim. */
  readonly claimed: number;
  checkpointAt: number;
  readonly #options: LeadOptions;
  /** Sequence of the last checkpoint. */
  #previous: number;
  /** The hashes of the messages since. */
  #entries: number[];
  /** Events of this writer in the log that no frontier has shown yet, by id: their transaction and their sequence. */
  readonly #ahead = new Map<number, { readonly xid: number; readonly sequence: number }>();
  #markAt: number;
  /** Until all that the log lacked is in it: what the claim said, and what has come since, is all that a checkpoint can say. */
  #since: Claim | undefined;
  /** When PostgreSQL was started, as the last checkpoint says it. */
  #startedAt: number;
  /** That of the last event. */
  #transaction: Transaction | undefined;
  /** A checkpoint that comes at the end of this turn, or when the one before it has been sent. */
  #hastened: NodeJS.Immediate | undefined;
  #isHasty = false;
  /** Checkpoints that the engine has not acknowledged, the oldest first. */
  readonly #unmarked: { readonly sequence: number; readonly frontier: Frontier }[] = [];

  constructor(options: LeadOptions) {
    this.#options = options;
    const { claim, claimed, fillers, log, outlet, pipeline, now, onBroken } = options;
    this.#startedAt = outlet.status().startedAt;
    // The writer adds what it brings, of which some may be too large for the engine.
    this.#since = { ...claim, known: new Set(claim.known) };
    this.generation = claim.generation;
    this.term = claim.term;
    this.claimed = claimed;
    this.#previous = claimed;
    this.#entries = new Array<number>(fillers).fill(NOTHING_HASH);
    this.checkpointAt = now();
    this.#markAt = this.checkpointAt - MARK + FIRST_MARK;
    this.chain = new Chain({
      log,
      last: claimed + fillers,
      pipeline,
      onBroken,
      onAcknowledged: (sequence) => this.#onAcknowledged(sequence),
    });
  }

  /** Whether there are messages that no checkpoint names yet. */
  get isDirty(): boolean {
    return this.#entries.length > 0;
  }

  append(envelope: Envelope, line: string): void {
    const { subjects } = this.#options;
    const { audience, id, xid } = envelope;
    // Readers have to know first that transaction ids may have come again.
    if (this.#options.outlet.status().startedAt !== this.#startedAt) this.checkpoint();
    const { generation } = this;
    const subject = audience === undefined ? subjects.order(generation) : subjects.event(generation, audience);
    const hash = audience === undefined ? ORDER_HASH : hashAudience(audience);
    const earlier = this.#earlier(xid!, hash);
    const sequence = this.chain.push(subject, line, earlier);
    this.#ahead.set(id, { xid: xid!, sequence });
    this.#entries.push(hash);
    if (this.#entries.length >= (this.#options.maxEntries ?? MAX_ENTRIES)) this.checkpoint();
    // An edge that hears its own subjects alone waits for the next one.
    else if (earlier === UNNAMED) this.#hasten();
  }

  #earlier(xid: number, hash: number): string | undefined {
    if (this.#transaction?.xid !== xid) {
      // The writer before may have brought the beginning of a transaction, whose end is among what the log lacked, or comes first behind it.
      const isWhole = this.#since === undefined && this.#transaction !== undefined;
      this.#transaction = new Transaction(xid, isWhole);
    }
    return this.#transaction.add(this.chain.next, hash);
  }

  #hasten(): void {
    this.#isHasty = true;
    this.#hastened ??= setImmediate(() => {
      this.#hastened = undefined;
      this.#hurry();
    });
  }

  /** Each checkpoint waits for the engine: one is enough for all that has come meanwhile. */
  #hurry(): void {
    if (this.#isHasty && !this.chain.broken && !this.chain.isHeld) this.checkpoint();
  }

  /** All that the log lacked has been appended. */
  complete(): void {
    this.#since = undefined;
    this.#transaction = undefined;
    this.checkpoint();
  }

  /** All that has been delivered is before it. @returns its sequence */
  checkpoint(): number {
    const { now, outlet, subjects } = this.#options;
    const since = this.#since;
    const frontier = since?.frontier ?? outlet.reached();
    const status = outlet.status();
    this.#startedAt = status.startedAt;
    clearImmediate(this.#hastened);
    this.#hastened = undefined;
    this.#isHasty = false;
    // Events of earlier writers come first in the log.
    let aheadFrom = since?.aheadFrom ?? 0;
    for (const [id, { xid, sequence }] of this.#ahead) {
      if (!frontier.isNew(xid)) this.#ahead.delete(id);
      else if (aheadFrom === 0) aheadFrom = sequence;
    }
    const text = encodeCheckpoint({
      term: this.term,
      previous: this.#previous,
      frontier,
      status,
      ahead: toRuns([...(since?.known ?? []), ...this.#ahead.keys()]),
      aheadFrom,
      manifest: Uint32Array.from(this.#entries),
    });
    const sequence = this.chain.promise(subjects.checkpoint(this.generation, this.term), text);
    this.#previous = sequence;
    this.#entries = [];
    this.checkpointAt = now();
    this.#unmarked.push({ sequence, frontier });
    return sequence;
  }

  #onAcknowledged(sequence: number): void {
    const { now, onAcknowledged, onMark } = this.#options;
    onAcknowledged();
    if (!this.#hastened) this.#hurry();
    let mark: { readonly sequence: number; readonly frontier: Frontier } | undefined;
    while (this.#unmarked[0] && this.#unmarked[0].sequence <= sequence) mark = this.#unmarked.shift();
    if (!mark || now() - this.#markAt < MARK) return;
    this.#markAt = now();
    onMark(mark.sequence, mark.frontier);
  }
}
