import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import { ORDER_HASH } from './audience-hash.js';
import type { Interest } from './interest.js';
import type { LogMessage } from './log.js';
import { rangeTo, sequencesIn, sequencesOf } from './range.js';
import type { Placed, Reader } from './reader.js';
import { BrokenChainError, type Standing } from './standing.js';
import type { Subjects } from './subjects.js';
import { earlierOf } from './transaction.js';
import { type Copy, checkFill, type Taken, type Way, type Work } from './way.js';

export interface OwnSubjectsOptions {
  reader: Reader;
  standing: Standing;
  subjects: Subjects;
  interest: Interest;
  /** Messages that are read to go on where the stream was. */
  maxFill?: number | undefined;
  isStopped(): boolean;
  /** The stream begins here: all that is new since its frontier comes. @param sequence - behind which it comes */
  onBegin(from: Placed, sequence: number): void;
}

/** Events that may wait for the next manifest. */
const MAX_WAITING = 20_000;

/**
 * The messages that are for an edge's own clients. Their sequences have gaps, so only the manifest of a checkpoint tells what
 * should have come: what has not is read, and then the frontier moves.
 */
export class OwnSubjects implements Way {
  holes = 0;
  fills = 0;
  readonly #options: OwnSubjectsOptions;
  /** What has been taken behind the last checkpoint, by sequence; undefined: it was no event. */
  readonly #got = new Map<number, Envelope | undefined>();
  /** A copy is known to be missing: what comes behind it waits for the next checkpoint, by sequence. */
  readonly #waiting = new Map<number, Copy>();
  /** The connection was cut: copies of before may be missing, which the first checkpoint that is heard behind the cut names. */
  #isCut = false;

  constructor(options: OwnSubjectsOptions) {
    this.#options = options;
  }

  take(copy: Copy): Work | undefined {
    const { standing, subjects } = this.#options;
    const parsed = subjects.parse(copy.subject);
    const { generation, said, sequence } = standing.at!;
    if (!parsed || parsed.kind === 'filler') return undefined;
    if (parsed.kind === 'event' || parsed.kind === 'order') {
      if (copy.sequence > sequence && parsed.generation === generation) this.#hear(copy);
      return undefined;
    }
    const placed = this.#options.reader.toPlaced(copy);
    const isOurs = placed.generation === generation && placed.said.term === said.term;
    if (copy.sequence <= sequence) {
      if (isOurs) return undefined;
      throw new BrokenChainError('somebody writes the log from an earlier place on');
    }
    // An earlier writer had it on its way when the log was claimed, or the claim has not been heard: the engine knows.
    if (parsed.kind === 'checkpoint' && !isOurs) return 'look';
    if (placed.generation !== generation || placed.said.previous < sequence) {
      throw new BrokenChainError('a checkpoint does not follow the one before');
    }
    this.#isCut = false;
    if (placed.said.previous > sequence) return () => this.reach(placed);
    if (this.#missing(placed).length > 0) {
      this.holes += 1;
      return () => this.#fill([placed]);
    }
    this.#complete(placed, []);
    return undefined;
  }

  async reach(newest: Placed): Promise<void> {
    const { reader, standing } = this.#options;
    const { sequence } = standing.at!;
    this.holes += 1;
    const way = await reader.back(newest, (placed) => placed.sequence <= sequence);
    if (way?.[0]?.sequence !== sequence) throw new BrokenChainError('the last checkpoint is not in the log any more');
    await this.#fill([...way.slice(1), newest]);
  }

  async replay(to: Placed, from: Placed | undefined, had: Frontier | undefined): Promise<void> {
    const { interest, isStopped, onBegin, reader, standing } = this.#options;
    if (!from || !had) {
      this.#forget();
      standing.begin(to, undefined);
      onBegin(to, to.sequence);
      interest.restart();
      return;
    }
    const range = (await rangeTo(reader, to, ({ sequence }) => sequence <= from.sequence))!;
    const sequences = [...sequencesIn(range, (hash) => this.#wants(hash))];
    checkFill(sequences.length, this.#options.maxFill);
    // All messages are read before the first is delivered: if a reading fails, this reader is where it was.
    const messages = await this.#read(sequences);
    if (isStopped()) return;
    this.#forget();
    standing.begin(to, had);
    interest.move(to);
    for (const message of messages) this.#deliver(message);
    standing.jump(to);
    this.#got.clear();
  }

  cut(): void {
    this.#isCut = true;
  }

  arrive(): void {
    const { interest, standing } = this.#options;
    if (standing.at) interest.arrive(standing.at, standing.isCaughtUp);
  }

  get tail(): readonly Taken[] {
    return [...this.#got].flatMap(([sequence, envelope]) => (envelope ? [{ sequence, envelope }] : []));
  }

  #forget(): void {
    this.#got.clear();
    this.#waiting.clear();
  }

  #wants(hash: number): boolean {
    return hash === ORDER_HASH || this.#options.interest.hasHash(hash);
  }

  /** A live copy of an event behind the last checkpoint. */
  #hear(copy: Copy): void {
    const { sequence } = copy;
    if (this.#got.has(sequence) || this.#waiting.has(sequence)) return;
    if (!this.#isCut && this.#waiting.size === 0 && this.#isNext(copy)) this.#deliver(copy);
    // A copy for which there is no room is read later: the manifest names it.
    else if (this.#waiting.size < MAX_WAITING) this.#waiting.set(sequence, copy);
  }

  /** Whether those before it have come: of its audience, and of its transaction. */
  #isNext({ before = 0, earlier, sequence }: Copy): boolean {
    const named = earlierOf(earlier, sequence);
    // There are earlier events that it does not name, and the next checkpoint does: that comes at once, and is no hole.
    if (!named) return false;
    const isHere = (other: number) => other <= this.#options.standing.at!.sequence || this.#got.has(other);
    if (isHere(before) && named.every((one) => !this.#wants(one.hash) || isHere(one.sequence))) return true;
    this.holes += 1;
    return false;
  }

  #deliver({ sequence, text }: LogMessage): void {
    const { interest, standing } = this.#options;
    const envelope = standing.read(text);
    // Another audience may have the same hash. The event is not noted as taken, as a client may ask for its audience before the next checkpoint.
    if (envelope?.audience !== undefined && !interest.has(envelope.audience)) return;
    this.#got.set(sequence, envelope);
    if (envelope) standing.deliver(envelope, sequence);
  }

  /** What a checkpoint's manifest has for us, and did not come. */
  #missing(placed: Placed): number[] {
    const found = [...sequencesOf(placed, (hash) => this.#wants(hash))];
    return found.filter((sequence) => !this.#got.has(sequence) && !this.#waiting.has(sequence));
  }

  /** Reads what is missing up to these checkpoints, each of which follows the one before. */
  async #fill(checkpoints: readonly Placed[]): Promise<void> {
    const missing = checkpoints.map((placed) => this.#missing(placed));
    const count = missing.reduce((sum, { length }) => sum + length, 0);
    checkFill(count, this.#options.maxFill);
    for (const [i, placed] of checkpoints.entries()) {
      const messages = await this.#read(missing[i]!);
      if (this.#options.isStopped()) return;
      this.fills += messages.length;
      this.#complete(placed, messages);
    }
  }

  async #read(sequences: readonly number[]): Promise<LogMessage[]> {
    const messages: LogMessage[] = [];
    for await (const message of this.#options.reader.many(sequences)) messages.push(message);
    return messages;
  }

  /** All that the checkpoint names is here: what has waited, and what was read. */
  #complete(placed: Placed, messages: readonly LogMessage[]): void {
    const { interest, standing } = this.#options;
    const waited = [...this.#waiting.values()];
    const here = [...messages, ...waited.filter(({ sequence }) => sequence < placed.sequence)];
    for (const message of here.sort((a, b) => a.sequence - b.sequence)) this.#deliver(message);
    standing.move(placed);
    for (const sequence of this.#got.keys()) if (sequence < placed.sequence) this.#got.delete(sequence);
    this.#waiting.clear();
    for (const copy of waited) if (copy.sequence > placed.sequence) this.#hear(copy);
    if (standing.isCaughtUp) interest.settle(placed);
  }
}
