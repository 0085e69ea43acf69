import { setTimeout as pause } from 'node:timers/promises';
import type { Frontier } from '../event/frontier.js';
import { type Checkpoint, decodeCheckpoint } from './checkpoint.js';
import type { Log, LogMessage } from './log.js';
import { PlacedCache } from './placed-cache.js';
import type { Subjects } from './subjects.js';

/** A checkpoint and its place. */
export interface Placed {
  readonly sequence: number;
  readonly generation: string;
  readonly said: Checkpoint;
}

function toPlaced({ sequence, subject, text }: LogMessage, subjects: Subjects): Placed {
  const parsed = subjects.parse(subject);
  if (parsed?.kind !== 'checkpoint' && parsed?.kind !== 'claim') {
    throw new Error(`there is no checkpoint at ${sequence} of the log`);
  }
  return { sequence, generation: parsed.generation, said: decodeCheckpoint(text) };
}

/**
 * The last checkpoint that holds: of whoever claimed the log last, or the claim itself. What an earlier writer has on its way
 * may still come into the log behind the claim.
 */
export async function newestCheckpoint(log: Log, subjects: Subjects, leader: boolean): Promise<Placed | undefined> {
  const message = await log.newest(subjects.claim(), leader);
  if (!message) {
    // A claim that has expired is old, and so is all that an earlier writer had on its way then.
    const last = await log.newest(subjects.checkpoint(), leader);
    return last && toPlaced(last, subjects);
  }
  const claim = toPlaced(message, subjects);
  const newest = await log.newest(subjects.checkpoint(claim.generation, claim.said.term), leader);
  return newest ? toPlaced(newest, subjects) : claim;
}

/** The log has no such message any more, and never will. */
export class GoneError extends Error {
  constructor(sequence: number) {
    super(`the log has no message ${sequence} any more`);
    this.name = 'GoneError';
  }
}

/** Messages that are asked for at the same time. */
const AT_ONCE = 100;

/** How often a message is asked for, and the first wait in between. */
const ATTEMPTS = 4;
const WAIT = 20;

/** Checkpoints that one walk back looks at. */
const MAX_WALK = 20_000;

/** Reads the log by sequence, for which the engine keeps no state. */
export class Reader {
  readonly #log: Log;
  readonly #subjects: Subjects;
  /** Checkpoints that need not be read again. */
  readonly known = new PlacedCache();

  readonly #wait: number;

  /** @param wait - milliseconds before a message is asked for again, longer each time: a server may lag behind the leader */
  constructor(log: Log, subjects: Subjects, wait = WAIT) {
    this.#log = log;
    this.#subjects = subjects;
    this.#wait = wait;
  }

  /** @throws {@link GoneError} */
  async one(sequence: number): Promise<LogMessage> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      // Any server may answer; what it has not got yet the stream's leader has.
      const message = await this.#log.read(sequence, attempt === ATTEMPTS);
      if (message) return message;
      if (attempt < ATTEMPTS) await pause(this.#wait * attempt);
    }
    throw new GoneError(sequence);
  }

  /** In the order that they are asked for, some of them at a time. */
  async *many(sequences: Iterable<number>): AsyncGenerator<LogMessage> {
    let asked: Promise<LogMessage>[] = [];
    const batch: number[] = [];
    for (const sequence of sequences) {
      batch.push(sequence);
      if (batch.length < AT_ONCE) continue;
      asked = batch.splice(0).map((one) => this.one(one));
      for (const message of await Promise.all(asked)) yield message;
    }
    asked = batch.map((one) => this.one(one));
    for (const message of await Promise.all(asked)) yield message;
  }

  /** The newest checkpoint that some server knows of; undefined: there is none. */
  async newest(): Promise<Placed | undefined> {
    return newestCheckpoint(this.#log, this.#subjects, false);
  }

  /** @throws {@link GoneError}, or when there is no checkpoint of this generation at this place */
  async checkpoint(sequence: number, generation: string): Promise<Placed> {
    const known = this.known.find(generation, sequence);
    if (known) return known;
    const placed = this.toPlaced(await this.one(sequence));
    if (placed.generation !== generation) throw new GoneError(sequence);
    this.known.add(placed);
    return placed;
  }

  isEvent({ subject }: LogMessage, generation?: string): boolean {
    const parsed = this.#subjects.parse(subject);
    const isOne = parsed?.kind === 'event' || parsed?.kind === 'order';
    return isOne && (generation === undefined || parsed.generation === generation);
  }

  toPlaced(message: LogMessage): Placed {
    return toPlaced(message, this.#subjects);
  }

  /**
   * From a checkpoint back to the first that will do, by the chain of them.
   *
   * @returns from the oldest on, without `from`; undefined: the generation begins, or the log has expired, before one did
   */
  async back(from: Placed, enough: (placed: Placed) => boolean): Promise<Placed[] | undefined> {
    const found: Placed[] = [];
    let at = from;
    while (!enough(at)) {
      if (at.said.previous === 0 || found.length >= MAX_WALK) return undefined;
      try {
        at = await this.checkpoint(at.said.previous, from.generation);
      } catch (error) {
        if (error instanceof GoneError) return undefined;
        throw error;
      }
      found.unshift(at);
    }
    return found;
  }
}

/** The first message that may be new to whoever has all that is visible in the frontier of this checkpoint. */
export const startOf = ({ sequence, said: { aheadFrom } }: Placed): number => aheadFrom || sequence + 1;

/** Whether all that is new since a frontier lies at {@link startOf} this checkpoint, or behind. */
export const isBefore = ({ said }: Placed, frontier: Frontier): boolean => frontier.contains(said.frontier);
