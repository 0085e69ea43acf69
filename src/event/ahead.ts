import type { Envelope } from './envelope.js';
import type { Frontier } from './frontier.js';

/** Begins the part of an id that names events. */
export const AHEAD = 'A';

type Named = Pick<Envelope, 'id' | 'xid' | 'createdAt'> & { unstored?: boolean };

/** Ids without a gap. */
interface Run {
  low: number;
  high: number;
}

/** Runs that an id names: ids come from one sequence, so that a few hold thousands of events. */
const MAX_RUNS = 32;

/** Events that are remembered until a frontier has them. */
const MAX_EVENTS = 4096;

/** Milliseconds behind the frontier's time from which on an event's time was made up by whoever inserted it. */
const MAX_LEAD = 3_600_000;

/** Made once: nearly all that is packed for an event is small. */
const SMALL = Array.from({ length: 36 ** 2 }, (_, value) => value.toString(36));

const base36 = (value: number): string => SMALL[value] ?? value.toString(36);

/**
 * What this instance has delivered and its frontier does not show yet: what the fast lane brought since the last sweep. Ids
 * name it, so that a client that goes to another instance does not get it again.
 *
 * Naming fewer is always right: what is not named comes again, and clients drop it by its id.
 */
export class Ahead {
  #frontier: Frontier;
  /** No whole envelopes: history alone decides how long they stay in memory. */
  #events: Named[] = [];
  /** Highest first. */
  #runs: Run[] = [];
  /** The time of the youngest: an id that is given again after a crash belongs to an event that is younger. */
  #until = 0;
  /** Whether some are not named, as they are too many or too far apart. */
  overflowed = false;
  /** All runs but the first, packed: most events only make the first one longer. */
  #rest: string | undefined = '';

  /** @param named - what an id named already; it stays as long as the frontier does */
  constructor(frontier: Frontier, named?: NamedAhead) {
    this.#frontier = frontier;
    if (!named) return;
    this.#runs = named.runs.map((run) => ({ ...run }));
    this.#until = named.until;
    this.#rest = undefined;
  }

  /** An event is delivered, behind all that were added before. */
  add({ createdAt, id, unstored, xid }: Named): void {
    // Without a row it is in no resume. Its id belongs to no other event: named, it keeps those around it one run.
    if (xid === null && unstored && this.#runs[0]?.high === id - 1) this.#name(id, createdAt);
    if (xid === null || !this.#frontier.isNew(xid)) return;
    if (this.#events.length >= MAX_EVENTS || createdAt > this.#frontier.time + MAX_LEAD) {
      this.overflowed = true;
      return;
    }
    this.#events.push({ id, xid, createdAt });
    this.#name(id, createdAt);
  }

  /** All that is visible in this frontier has been delivered. */
  moveTo(frontier: Frontier): void {
    if (frontier === this.#frontier) return;
    // Of another history of the database nothing is meant by the same number.
    const events = frontier.epoch === this.#frontier.epoch ? this.#events : [];
    this.#frontier = frontier;
    this.#events = [];
    this.#runs = [];
    this.#rest = '';
    this.#until = 0;
    this.overflowed = false;
    for (const event of events) this.add(event);
  }

  /** `.Auntil.highest.count[.gap.count…]` in base 36, from the highest id down; empty where there is nothing to name. */
  get packed(): string {
    const first = this.#runs[0];
    if (!first) return '';
    this.#rest ??= this.#packRest();
    const until = base36(Math.max(0, this.#until - this.#frontier.time));
    return `.${AHEAD}${until}.${first.high.toString(36)}.${base36(first.high - first.low + 1)}${this.#rest}`;
  }

  #packRest(): string {
    let text = '';
    for (let i = 1; i < this.#runs.length; i += 1) {
      const { low, high } = this.#runs[i]!;
      text += `.${base36(this.#runs[i - 1]!.low - high - 1)}.${base36(high - low + 1)}`;
    }
    return text;
  }

  #name(id: number, createdAt: number): void {
    if (createdAt > this.#until) this.#until = createdAt;
    const runs = this.#runs;
    if (runs[0]?.high === id - 1) {
      runs[0].high = id;
      return;
    }
    this.#rest = undefined;
    let place = 0;
    while (place < runs.length && runs[place]!.low > id) place += 1;
    // It lies above the run in this place, or in it, and below the one before.
    const below = runs[place];
    const above = runs[place - 1];
    if (below && below.high >= id) return;
    if (below?.high === id - 1) {
      below.high = id;
      if (above?.low !== id + 1) return;
      above.low = below.low;
      runs.splice(place, 1);
    } else if (above?.low === id + 1) above.low = id;
    else {
      runs.splice(place, 0, { low: id, high: id });
      if (runs.length <= MAX_RUNS) return;
      runs.pop();
      this.overflowed = true;
    }
  }
}

/** The events that an id names. */
export class NamedAhead {
  readonly size: number;
  /** Highest first. */
  readonly runs: readonly Readonly<Run>[];
  /** Milliseconds since 1970: the time of the youngest. */
  readonly until: number;

  private constructor(runs: readonly Run[], until: number) {
    this.runs = runs;
    this.until = until;
    this.size = runs.reduce((sum, { low, high }) => sum + high - low + 1, 0);
  }

  /** @returns undefined when {@link Ahead} did not make it */
  static unpack(parts: readonly string[], frontier: Frontier): NamedAhead | undefined {
    const numbers = parts.map((part, i) => {
      const text = i === 0 ? part.slice(AHEAD.length) : part;
      return /^[0-9a-z]{1,11}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
    });
    const [until, highest, ...spans] = numbers;
    if (until === undefined || highest === undefined || spans.length % 2 === 0) return undefined;
    if (!Number.isSafeInteger(frontier.time + until)) return undefined;
    const runs: Run[] = [];
    let high = highest;
    for (let i = 0; i < spans.length; i += 2) {
      const low = high - spans[i]! + 1;
      if (!(Number.isSafeInteger(high) && low >= 1 && low <= high)) return undefined;
      runs.push({ low, high });
      high = low - (spans[i + 1] ?? 0) - 1;
    }
    return new NamedAhead(runs, frontier.time + until);
  }

  /** Whether it names this very event, and not one that got the same number after a crash. */
  has({ createdAt, id }: Envelope): boolean {
    if (createdAt > this.until) return false;
    return this.runs.some(({ low, high }) => id >= low && id <= high);
  }
}
