import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import { Frontier } from '../../event/frontier.js';
import { inTime } from '../../lib/deadline.js';
import type { LogStatus } from '../../relay/checkpoint.js';
import type { Engine } from '../../relay/engine.js';
import type { Follower } from '../../relay/follower.js';
import { decodeLine, readLine } from '../../relay/line.js';
import { GoneError } from '../../relay/reader.js';
import { type FrontierText, fromText, request, toText } from '../../relay/requests.js';
import type { Taken } from '../../relay/way.js';
import type { History } from '../../stream/history.js';
import { type Need, type Recent, unavailable } from '../../stream/resume/backlog.js';
import type { ResumeProgress, StoredEvents, Wanted } from '../../stream/resume/source.js';
import { isNewSince, type Part, partSince, readEvents, sequencesFor } from './log-reading.js';

export interface EdgeStorageOptions {
  engine: Engine;
  follower: Follower;
  history: History;
  /** Resolves when all that is visible in the database now is in the frontier of a checkpoint. */
  catchUp(): Promise<void>;
  /** What the last checkpoint says of the database. */
  status(): LogStatus;
}

/** What a source says to `since`. */
export interface SinceAnswer {
  readonly lines: readonly string[];
  readonly frontier: FrontierText;
  readonly last: { readonly xid: number; readonly id: number };
  readonly done: boolean;
}

/** What a source is asked. */
export interface SinceRequest {
  readonly since: FrontierText;
  readonly audiences: readonly Audience[];
  readonly types: readonly string[] | null;
  readonly from: { readonly frontier: FrontierText; readonly last: { xid: number; id: number } } | null;
}

/** Events that go together. */
const BATCH = 256;

/** Events that a reading for many clients brings at most, and what they may take in memory. */
const MAX_RECENT = 20_000;
const MAX_RECENT_BYTES = 32 * 1024 * 1024;

/** Milliseconds that a client waits for a checkpoint. */
const MAX_SETTLE = 1000;

/** Milliseconds that a client waits until the log has come to where this edge was. */
const MAX_REPLAY = 10_000;

/** Milliseconds that a source may take for one page. */
const PAGE_TIMEOUT = 15_000;

/** How far a reading of the log has come. */
interface LogProgress extends ResumeProgress {
  readonly part: Part;
  /** Sequence of the last message that the client has taken. */
  readonly behind: number;
}

/** What clients of an edge missed and its history has no more: the log has it, by sequence, or a source has it in storage. */
export class EdgeStorage implements StoredEvents {
  readonly #options: EdgeStorageOptions;

  constructor(options: EdgeStorageOptions) {
    this.#options = options;
  }

  async readSince(
    since: Frontier,
    wanted: Wanted,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }> {
    if (from && !('part' in from)) return this.#ask(since, wanted, from, onBatch);
    const progress = from as LogProgress | undefined;
    if (!progress) await this.#settle();
    const part = progress?.part ?? (await this.#partSince(since));
    if (!part) return this.#ask(since, wanted, undefined, onBatch);
    let behind = progress?.behind ?? 0;
    const audiences = [...wanted.audiences];
    const paused = (last: number): LogProgress => ({ ...this.#end(part), done: false, part, behind: last });
    try {
      let batch: Taken[] = [];
      const give = async (): Promise<boolean> => {
        const given = batch;
        batch = [];
        if (given.length === 0) return true;
        const taken = await onBatch(given.map(({ envelope }) => envelope));
        if (taken > 0) behind = given[taken - 1]!.sequence;
        return taken === given.length;
      };
      for await (const read of this.#eventsOf(part, since, audiences, behind)) {
        if (wanted.types && !wanted.types.has(read.envelope.type)) continue;
        batch.push(read);
        if (batch.length >= BATCH && !(await give())) return paused(behind);
      }
      if (!(await give())) return paused(behind);
      return { ...this.#end(part), done: true };
    } catch (error) {
      // The log has lost it meanwhile: a source has it, and the client drops what it has got by its id.
      if (error instanceof GoneError) return this.#ask(since, wanted, undefined, onBatch);
      throw error;
    }
  }

  /** What no frontier shows yet a client gets again from the next instance: mostly a new checkpoint shows it. */
  async #settle(): Promise<void> {
    const { catchUp, follower } = this.#options;
    if (follower.isAhead) await inTime(catchUp(), MAX_SETTLE);
    await inTime(follower.replayed(), MAX_REPLAY);
  }

  /** @returns undefined: the log does not have it all, and a source knows whether storage has */
  async #partSince(since: Frontier): Promise<Part | undefined> {
    const { follower, history, status } = this.#options;
    const { prunedXid, startedAt } = status();
    const storage = history.stored;
    const frontier = follower.at?.said.frontier;
    if (!frontier || unavailable({ frontier, prunedXid, startedAt, storage }, since) !== undefined) return undefined;
    return partSince(follower, since);
  }

  #end(part: Part): Pick<ResumeProgress, 'frontier' | 'last'> {
    return { frontier: part.end.said.frontier, last: { xid: 0, id: 0 } };
  }

  /** What is new since a frontier in a part of the log, and what has come behind it. */
  async *#eventsOf(
    part: Part,
    since: Frontier,
    audiences: readonly Audience[] | undefined,
    behind: number,
  ): AsyncGenerator<Taken> {
    const { follower, history, status } = this.#options;
    const { startedAt } = status();
    const wanted = audiences && new Set(audiences);
    const isMeant = (envelope: Envelope): boolean =>
      envelope.audience !== undefined &&
      (!wanted || wanted.has(envelope.audience)) &&
      isNewSince(envelope, since, startedAt);
    for await (const read of readEvents(follower, part.end, sequencesFor(part, audiences, behind))) {
      if (isMeant(read.envelope)) yield read;
    }
    // No checkpoint says yet whom these are for; nearly always the history has them.
    // Behind a new generation the same numbers are other messages.
    if (follower.at?.generation !== part.end.generation) throw new GoneError(part.end.sequence);
    const end = Math.max(part.end.sequence, behind);
    if (part.tail) {
      for (const taken of part.tail) if (taken.sequence > end && isMeant(taken.envelope)) yield taken;
      return;
    }
    const { last } = follower;
    if (history.reaches(end, [])) {
      for (const { envelope, sequence } of history.after(end, Number.POSITIVE_INFINITY)) {
        if (sequence <= last && envelope.xid !== null && isMeant(envelope)) yield { sequence, envelope };
      }
      return;
    }
    const tail = Array.from({ length: Math.max(0, last - end) }, (_, i) => end + 1 + i);
    for await (const message of follower.reader.many(tail)) {
      if (!follower.reader.isEvent(message, part.end.generation)) continue;
      const envelope = readLine(message.text);
      if (envelope && isMeant(envelope)) yield { sequence: message.sequence, envelope };
    }
  }

  /** A source reads it in its storage, a page at a time. */
  async #ask(
    since: Frontier,
    wanted: Wanted,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }> {
    let progress = from;
    for (;;) {
      const answer = await this.#page(since, [...wanted.audiences], wanted.types, progress);
      if ('reset' in answer) return answer;
      const envelopes = answer.lines.map(decodeLine);
      const frontier = fromText(answer.frontier);
      const taken = envelopes.length > 0 ? await onBatch(envelopes) : 0;
      if (taken < envelopes.length) {
        const last = taken > 0 ? placeOf(envelopes[taken - 1]!) : (progress?.last ?? { xid: 0, id: 0 });
        return { frontier, last, done: false };
      }
      progress = { frontier, last: answer.last, done: answer.done };
      if (answer.done) return progress;
    }
  }

  #page(
    since: Frontier,
    audiences: readonly Audience[],
    types: ReadonlySet<string> | null,
    from: ResumeProgress | undefined,
  ): Promise<SinceAnswer | { reset: string }> {
    const body: SinceRequest = {
      since: toText(since),
      audiences,
      types: types ? [...types] : null,
      from: from ? { frontier: toText(from.frontier), last: from.last } : null,
    };
    return request(this.#options.engine, 'since', body, PAGE_TIMEOUT);
  }

  async readRecent(need: Need): Promise<Recent> {
    const { status } = this.#options;
    const inProgress = [...need.inProgress].filter((xid) => xid < need.xmax).sort((a, b) => a - b);
    const since = new Frontier(need.epoch, need.time, inProgress[0] ?? need.xmax, need.xmax, inProgress);
    await this.#settle();
    const part = await this.#partSince(since);
    const envelopes: Envelope[] = [];
    let bytes = 0;
    const add = (envelope: Envelope): boolean => {
      envelopes.push(envelope);
      bytes += envelope.size;
      return envelopes.length < MAX_RECENT && bytes < MAX_RECENT_BYTES;
    };
    if (part) {
      const state = { frontier: part.end.said.frontier, storage: true, startedAt: status().startedAt, prunedXid: 0 };
      let complete = true;
      for await (const { envelope } of this.#eventsOf(part, since, undefined, 0)) {
        complete = add(envelope);
        if (!complete) break;
      }
      return { ...state, envelopes, completeFrom: complete ? need.xmax : Number.POSITIVE_INFINITY };
    }
    // Whoever asks alone is told by a source.
    const nothing = { frontier: since, storage: true, startedAt: 0, prunedXid: 0 };
    return { ...nothing, envelopes: [], completeFrom: Number.POSITIVE_INFINITY };
  }
}

const placeOf = ({ xid, id }: Envelope) => ({ xid: xid!, id });
