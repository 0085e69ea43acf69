import { randomBytes } from 'node:crypto';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Logger } from '../lib/logger.js';
import { type Claim, claimLog, fillPlaces } from './claim.js';
import type { Log } from './log.js';
import type { Outlet } from './outlet.js';
import type { Recent } from './recent.js';
import type { Ring } from './ring.js';
import type { Subjects } from './subjects.js';
import { beginningOf, decide, type Found, findEnd, knownFrom, knownIds } from './takeover.js';

export interface SuccessionOptions {
  log: Log;
  subjects: Subjects;
  outlet: Outlet;
  recent: Recent;
  ring: Ring;
  logger: Logger;
  /** Messages that may be on their way to the engine without an answer. */
  pipeline: number;
  isStopped(): boolean;
  /** Called in the same turn in which the last missing event was found: events that are delivered later are not among {@link Succeeded.missing}. */
  onSucceeded(succeeded: Succeeded): void;
}

/** The log is claimed, and nobody else writes it. */
export interface Succeeded {
  readonly claim: Claim;
  /** Sequence of the claim, and the fillers behind it. */
  readonly claimed: number;
  readonly fillers: number;
  /** What the log lacks, in the order in which it has to come. */
  readonly missing: readonly Envelope[];
}

/** How a source becomes the one that writes the log: it finds where the log ends, claims it, and looks what it lacks. */
export class Succession {
  /** Generations that it has begun. */
  generations = 0;
  readonly #options: SuccessionOptions;
  /** Terms of this writer. */
  readonly #terms = new Set<string>();
  /** What is delivered while storage is read. */
  #meanwhile: Envelope[] | undefined;
  /** Why the next take-over begins a generation with what comes from now on. */
  #gap: string | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** Whether a checkpoint of this term is this source's. */
  isOwn(term: string): boolean {
    return this.#terms.has(term);
  }

  /** The next event that this source delivers. */
  take(envelope: Envelope): void {
    this.#meanwhile?.push(envelope);
  }

  /**
   * @param acknowledged - what this source was told that the engine has
   * @throws `RefusedError` when another source was quicker
   */
  async run(acknowledged: { readonly generation: string; readonly sequence: number } | undefined): Promise<void> {
    try {
      await this.#run(acknowledged);
    } finally {
      this.#meanwhile = undefined;
    }
  }

  async #run(acknowledged: { generation: string; sequence: number } | undefined): Promise<void> {
    const { log, logger, outlet, ring, subjects } = this.#options;
    await log.prepare();
    const found = await findEnd(log, subjects);
    const { checkpoint } = found;
    const marks = await ring.marks();
    const decision = this.#gap ?? decide(found, outlet.epoch(), marks, acknowledged);
    const term = randomBytes(4).readUInt32BE().toString(36).padStart(7, '0').slice(-6);
    this.#terms.add(term);
    if (decision === undefined) {
      const { generation, said } = checkpoint!;
      const [known, aheadFrom] = [knownIds(found), knownFrom(found)];
      await this.#claim(found, { goOn: true, generation, frontier: said.frontier, known, aheadFrom, term });
      return;
    }
    if (this.#gap !== undefined) await outlet.catchUp();
    const generation = newGeneration();
    const reached = outlet.reached();
    const frontier = this.#gap === undefined ? beginningOf(found, reached, marks) : reached;
    // Recorded before the engine has it, so that the source that takes over next knows which generation must be there.
    await ring.record({ generation, sequence: 0, frontier });
    const level = marks.length === 0 && !checkpoint ? 'info' : 'warn';
    logger[level]({ generation, reason: decision }, 'the relay begins a new generation of its log');
    this.generations += 1;
    await this.#claim(found, { goOn: false, generation, frontier, known: new Set(), aheadFrom: 0, term });
  }

  async #claim(found: Found, claim: Claim): Promise<void> {
    const { isStopped, onSucceeded, outlet, pipeline } = this.#options;
    const claimed = await claimLog(this.#options, found, claim, outlet.status());
    const fillers = found.last > 0 ? pipeline : 0;
    if (fillers > 0) await fillPlaces(this.#options, claimed, claim.generation, fillers);
    if (isStopped()) return;
    const stored = await this.#missing(claim.frontier);
    if (isStopped()) return;
    // What is delivered by now may be of another history than what the claim promises.
    if (outlet.epoch() !== claim.frontier.epoch) {
      throw new Error('the database was replaced or restored while the log of the relay was taken over');
    }
    const missing = [...stored, ...(this.#meanwhile ?? [])];
    this.#meanwhile = undefined;
    this.#gap = undefined;
    onSucceeded({ claim, claimed, fillers, missing });
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
}

/** Tells one log from every other; later ones sort behind earlier ones. */
const newGeneration = (): string =>
  `${Math.floor(Date.now() / 1000).toString(36)}${randomBytes(3).readUIntBE(0, 3).toString(36).padStart(4, '0').slice(-4)}`;
