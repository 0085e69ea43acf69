import { type Envelope, MAX_MESSAGE } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { ANSWER_TIMEOUT, onceMore } from '../../postgres/answer.js';
import { ask } from '../../postgres/ask.js';
import type { Pool } from '../../postgres/connect.js';
import { AS_TEXT, BATCH, type Query, readRows } from '../../postgres/rows.js';
import { type Need, type Recent, unavailable } from '../../stream/resume/backlog.js';
import type { ResumeProgress, StoredEvents, Wanted } from '../../stream/resume/source.js';
import { ascending, isReadable, type Order, ownOf, type Row, readEnvelopes } from './event-rows.js';
import type { Session } from './session.js';
import {
  EVENT_COLUMNS,
  entitled,
  goOn,
  NOT_FOREIGN,
  newSince,
  recentStatement,
  sinceStatement,
  withStatus,
} from './statements.js';
import { readStatus, type Status } from './status.js';
import { SweepWay } from './sweep-way.js';

/**
 * Bytes that one answer of the database may have if there are large events, so that it comes in time over a slow line as well; and
 * the number of rows to ask for while it is not known how large they may be.
 */
const BATCH_BYTES = 4 * 1024 * 1024;
const FIRST = 4;

/** Events that a shared reading for many clients brings at most, and bytes that they may take in memory. */
const MAX_RECENT = 20_000;
const MAX_RECENT_BYTES = 32 * 1024 * 1024;

/** The latest events, and the status that was read with them. */
export interface Latest {
  readonly status: Status;
  readonly envelopes: Envelope[];
  /** Whether these are all stored events. */
  readonly all: boolean;
}

/** What a sweep returns beside the events. */
export interface Swept {
  readonly status: Status;
  /** Whether there are events with transaction ids of another cluster, because a dump was restored. They were not delivered. */
  readonly foreign: boolean;
}

export interface StoreOptions {
  pool: Pool;
  /** The listening connection, while sweeps should use it rather than the pool. */
  sweepSession?: () => Session | undefined;
  /** The listening connection, for sweeps that the pool does not answer. */
  ownSession?: () => Session | undefined;
  /** A row of `djr.event` cannot be read. @param id - the event's id */
  onUnreadable?: (id: string) => void;
}

/** Reads stored events. */
export class Store implements StoredEvents {
  readonly #options: StoreOptions;
  readonly #way: SweepWay;
  /** How many rows to ask for at once. */
  #most = FIRST;
  /** `djr.epoch()`, shortened; set when the runtime connects. */
  epoch = '';

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#way = new SweepWay(
      (query) => this.#query(query),
      () => options.ownSession?.(),
    );
  }

  #readable(rows: Row[]): Row[] {
    const readable = rows.every(isReadable) ? rows : rows.filter(isReadable);
    if (readable !== rows) for (const row of rows) if (!isReadable(row)) this.#options.onUnreadable?.(row[1]);
    return readable;
  }

  /**
   * Reads all events that are visible now and were not in the frontier, in batches, ordered by transaction and id.
   *
   * @param bornAfter - after a restart of PostgreSQL, events that were inserted after this time are read as well
   * @param check - called with the status before the events; false: they are not read
   */
  async sweep(
    since: Frontier,
    bornAfter: number | undefined,
    check: (status: Status) => boolean,
    onBatch: (envelopes: Envelope[]) => Promise<void>,
  ): Promise<Swept> {
    const filter = newSince(since, bornAfter);
    const most = this.#most;
    const query = sinceStatement(filter, most + 1);
    const [head, ...found] = await this.#sweepRows(query, bornAfter === undefined).catch((error: unknown) => {
      // The setting max_bytes may have changed before the next sweep that works, so the size of events is not known then.
      this.#most = FIRST;
      throw error;
    });
    const status = await this.#status(head);
    const readable = readEnvelopes(this.#readable(found), ascending);
    const events = ownOf(readable, status);
    const foreign = events.length < readable.length || status.prunedXid >= status.frontier.xmax;
    if (!check(status)) return { status, foreign };
    if (events.length > 0) await onBatch(events);
    if (found.length <= most || events.length < readable.length) return { status, foreign };
    // After a long absence, or a bulk, there may be a million more events. They are read in the same snapshot, after the last of these.
    let { prunedXid } = status;
    const { xid, id } = events.at(-1) ?? { xid: 0, id: 0 };
    goOn(filter, { xid: xid!, id }, status.frontier);
    await this.#read(
      sinceStatement(filter),
      ascending,
      async (seen, envelopes) => {
        // Transaction ids may stand for other transactions now. The next sweep handles the restart.
        if (seen.startedAt !== status.startedAt)
          throw new Error('PostgreSQL was started anew in the middle of a sweep');
        prunedXid = seen.prunedXid;
        if (envelopes.length > 0) await onBatch(envelopes);
        return true;
      },
      true,
    );
    // Events that were pruned during the reading may be missing, so the latest value counts.
    return { status: { ...status, prunedXid }, foreign };
  }

  /** Reads the latest events, and returns them oldest first, with the status that was read with them. */
  async latest(limit: number, maxBytes = Number.POSITIVE_INFINITY): Promise<Latest> {
    const text = withStatus(
      `select null, ${EVENT_COLUMNS} from djr.event order by event.xid desc, event.id desc limit $1`,
    );
    const envelopes: Envelope[] = [];
    let bytes = 0;
    const newestFirst: Order = (before, behind) => ascending(behind, before);
    const status = await this.#read({ text, values: [limit] }, newestFirst, async (_, rows) => {
      for (const envelope of rows) {
        bytes += envelope.size;
        if (bytes > maxBytes) return false;
        envelopes.push(envelope);
      }
      return true;
    });
    return { status, envelopes: envelopes.reverse(), all: bytes <= maxBytes && envelopes.length < limit };
  }

  async readSince(
    since: Frontier,
    wanted: Wanted,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }> {
    for (const bornAfter of [undefined, since.time]) {
      const result = await onceMore((began) =>
        this.#readEntitled(since, bornAfter, wanted, from, (envelopes) => {
          began();
          return onBatch(envelopes);
        }),
      );
      if (result !== 'restarted') return result;
    }
    throw new Error('a reading that counts with a restart does not ask for another');
  }

  /**
   * Reads all events that are visible now and new since a frontier, for every audience.
   *
   * @returns the snapshot of the reading, or why the events cannot be had
   */
  async readAll(
    since: Frontier,
    onBatch: (envelopes: Envelope[]) => Promise<void>,
  ): Promise<Frontier | { reset: string }> {
    let reason: string | undefined;
    for (const bornAfter of [undefined, since.time]) {
      let restarted = false;
      const { status } = await this.sweep(
        since,
        bornAfter,
        (seen) => {
          reason = unavailable(seen, since);
          restarted = bornAfter === undefined && seen.startedAt > since.time;
          return !restarted && reason === undefined;
        },
        onBatch,
      );
      reason ??= unavailable(status, since);
      if (reason !== undefined) return { reset: reason };
      if (!restarted) return status.frontier;
    }
    throw new Error('a reading that counts with a restart does not ask for another');
  }

  async readRecent(need: Need): Promise<Recent> {
    return onceMore(() => this.#readRecent(need));
  }

  /** Reads the older in-flight transactions of the need first, all of them or none, and then the newest events first: those without room are the oldest. */
  async #readRecent(need: Need): Promise<Recent> {
    const envelopes: Envelope[] = [];
    let bytes = 0;
    let full = false;
    const query = recentStatement(need, MAX_RECENT);
    // Events older than the need's xmax may come in any order; after them come the others, newest first.
    const order: Order = (before, behind) =>
      before.xid! < need.xmax || (behind.xid! >= need.xmax && ascending(behind, before));
    const state = await this.#read(query, order, async (_, rows) => {
      for (const envelope of rows) {
        full ||= envelopes.length >= MAX_RECENT || bytes > MAX_RECENT_BYTES;
        if (full) return false;
        envelopes.push(envelope);
        bytes += envelope.size;
      }
      return true;
    });
    if (!full) return { ...state, envelopes, completeFrom: need.xmax };
    const last = envelopes.at(-1)!.xid!;
    return { ...state, envelopes, completeFrom: last < need.xmax ? Number.POSITIVE_INFINITY : last + 1 };
  }

  async #readEntitled(
    since: Frontier,
    bornAfter: number | undefined,
    wanted: Wanted,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string } | 'restarted'> {
    const filter = newSince(since, bornAfter);
    const bind = (value: unknown) => `$${filter.values.push(value)}`;
    filter.rest += ` and ${entitled(wanted.audiences, bind)} and ${NOT_FOREIGN}`;
    if (wanted.types) filter.rest += ` and type operator(pg_catalog.=) any(${bind([...wanted.types])})`;
    if (from) goOn(filter, from.last, from.frontier);
    let last = from?.last ?? { xid: 0, id: 0 };
    let rows = from?.rows;
    let outcome: { reset: string } | 'restarted' | 'paused' | undefined;
    const onRows = async (seen: Status, envelopes: Envelope[]) => {
      const reason = unavailable(seen, since);
      if (bornAfter === undefined && seen.startedAt > since.time) outcome = 'restarted';
      else if (reason !== undefined) outcome = { reset: reason };
      else if (envelopes.length > 0) {
        const taken = await onBatch(envelopes);
        if (taken > 0) last = { xid: envelopes[taken - 1]!.xid!, id: envelopes[taken - 1]!.id };
        if (taken < envelopes.length) outcome = 'paused';
        // If the client takes few events at a time, the next reading begins with few rows, as they may be large.
        rows = outcome === 'paused' ? 2 * Math.max(1, taken) : undefined;
      }
      return outcome === undefined;
    };
    const status = await this.#read(sinceStatement(filter), ascending, onRows, false, () => rows);
    if (outcome !== undefined && outcome !== 'paused') return outcome;
    return { frontier: from?.frontier ?? status.frontier, last, rows, done: outcome === undefined };
  }

  /** Reads the first row of every reading. If there is none, `djr.settings` has lost its row, and it is created again. */
  async #status(row: Row | undefined): Promise<Status> {
    if (row?.[0]) {
      const status = readStatus(row[0], this.epoch);
      this.#most = status.largest > MAX_MESSAGE ? Math.floor(BATCH_BYTES / status.largest) : BATCH;
      return status;
    }
    await ask(this.#options.pool, { text: 'select djr.channel()' }, ANSWER_TIMEOUT);
    throw new Error('djr.settings had no row: it has been made again, with every setting at its default');
  }

  /** @param again - the same statement is run again and again, so it can be prepared */
  async #sweepRows(query: Query, again: boolean): Promise<Row[]> {
    const prepared = again ? await this.#options.sweepSession?.()?.prepared<Row>('djr_sweep', query) : undefined;
    return prepared ?? this.#way.query(query);
  }

  async #query(query: Query): Promise<Row[]> {
    const result = await ask<Row>(this.#options.pool, { ...query, ...AS_TEXT }, ANSWER_TIMEOUT);
    // A connection of pg's pool keeps the result of the query for which it was opened, as long as it is open. The rows are taken out of it.
    return result.rows.splice(0);
  }

  /** Runs a reading: the status is in the first row, and `onRows` gets the events of the others batch by batch until it returns false. */
  async #read(
    query: Query,
    order: Order,
    onRows: (status: Status, envelopes: Envelope[]) => Promise<boolean>,
    ahead = false,
    most: () => number | undefined = () => undefined,
  ): Promise<Status> {
    let status: Status | undefined;
    let last: Envelope | undefined;
    const onBatch = async (rows: Row[]) => {
      status ??= await this.#status(rows.shift());
      const envelopes = readEnvelopes(this.#readable(rows), order, last);
      last = envelopes.at(-1) ?? last;
      return onRows(status, envelopes);
    };
    await readRows(this.#options.pool, query, onBatch, ahead, () => Math.min(most() ?? BATCH, this.#most));
    return status!;
  }
}
