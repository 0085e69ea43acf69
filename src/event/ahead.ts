import type { Envelope } from './envelope.js';
import type { Frontier } from './frontier.js';

/** Begins the part of a frame's id that names events which were delivered ahead of the frontier. */
export const AHEAD = 'A';

type Named = Pick<Envelope, 'id' | 'xid' | 'createdAt'> & { unstored?: boolean };

/** Consecutive event ids, from low to high. */
interface Run {
  low: number;
  high: number;
}

/** Runs that a frame's id may name. Event ids come from one sequence, so a few runs hold thousands of events. */
const MAX_RUNS = 32;

/** Events that are remembered until the frontier includes them. */
const MAX_EVENTS = 4096;

/** An event whose time is more than so many milliseconds after the frontier's was inserted with a time that is not true. */
const MAX_LEAD = 3_600_000;

/** The texts of small numbers, made once: nearly all numbers in an id are small. */
const SMALL = Array.from({ length: 36 ** 2 }, (_, value) => value.toString(36));

const base36 = (value: number): string => SMALL[value] ?? value.toString(36);

/**
 * The events that were delivered ahead of the frontier: NOTIFY brought them since the last sweep, so the frontier does not include them
 * yet. Frames' ids name them, so that a client that reconnects to another instance does not get them again.
 *
 * Leaving some out is always allowed: an event that is not named comes again, and the client drops it by its id.
 */
export class Ahead {
  #frontier: Frontier;
  /** Only these fields and not whole envelopes, whose time in memory the history alone decides. */
  #events: Named[] = [];
  /** Highest first. */
  #runs: Run[] = [];
  /** The time of the youngest named event. If an event id is used again after a crash, its event is younger than this. */
  #until = 0;
  /** Whether some events are left out, because there are too many or they are too far apart. */
  overflowed = false;
  /** All runs except the first, packed; undefined: must be packed again. Most events only make the first run longer. */
  #rest: string | undefined = '';

  /** @param named - events that a client's id named; they stay named until the frontier moves */
  constructor(frontier: Frontier, named?: NamedAhead) {
    this.#frontier = frontier;
    if (!named) return;
    this.#runs = named.runs.map((run) => ({ ...run }));
    this.#until = named.until;
    this.#rest = undefined;
  }

  /** Adds an event that is delivered now, after all that were added before. */
  add({ createdAt, id, unstored, xid }: Named): void {
    // No resume brings an event with `store => false`, so it need not be named. But no other event has its id, and naming it joins the runs
    // on both sides.
    if (xid === null && unstored && this.#runs[0]?.high === id - 1) this.#name(id, createdAt);
    if (xid === null || !this.#frontier.isNew(xid)) return;
    if (this.#events.length >= MAX_EVENTS || createdAt > this.#frontier.time + MAX_LEAD) {
      this.overflowed = true;
      return;
    }
    this.#events.push({ id, xid, createdAt });
    this.#name(id, createdAt);
  }

  /** The frontier has moved: events that are visible in it are no longer ahead. */
  moveTo(frontier: Frontier): void {
    if (frontier === this.#frontier) return;
    // In another epoch the same transaction ids mean other transactions, so no event is kept.
    const events = frontier.epoch === this.#frontier.epoch ? this.#events : [];
    this.#frontier = frontier;
    this.#events = [];
    this.#runs = [];
    this.#rest = '';
    this.#until = 0;
    this.overflowed = false;
    for (const event of events) this.add(event);
  }

  /** The part of a frame's id: `.Auntil.highest.count[.gap.count…]` in base 36, from the highest event id down; empty if no event is ahead. */
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
    // The id lies above or inside the run at this place, and below the run before it.
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

/** The events that a client's id names as delivered ahead of its frontier. */
export class NamedAhead {
  readonly size: number;
  /** Highest first. */
  readonly runs: readonly Readonly<Run>[];
  /** The time of the youngest of them, milliseconds since 1970. */
  readonly until: number;

  private constructor(runs: readonly Run[], until: number) {
    this.runs = runs;
    this.until = until;
    this.size = runs.reduce((sum, { low, high }) => sum + high - low + 1, 0);
  }

  /** @returns undefined if the text was not made by {@link Ahead} */
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

  /** Whether it names this event, and not another one that got the same id before a crash. */
  has({ createdAt, id }: Envelope): boolean {
    if (createdAt > this.until) return false;
    return this.runs.some(({ low, high }) => id >= low && id <= high);
  }
}
