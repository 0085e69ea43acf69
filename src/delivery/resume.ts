import type { Client } from './client.js';
import type { Envelope } from './envelope.js';
import { positionFrame, resetFrame } from './frame.js';
import type { Frontier } from './frontier.js';
import { type History, Item } from './history.js';
import type { Hub } from './hub.js';
import { type Position, packPosition } from './position.js';

/** How far a reading from storage has come. */
export interface ResumeProgress {
  /** The snapshot of the first page: later pages show nothing that it does not. */
  readonly frontier: Frontier;
  readonly last: { readonly xid: number; readonly id: number };
  readonly done: boolean;
}

/** Reads what storage has since a frontier, entitled and filtered in SQL. */
export interface ResumeSource {
  /**
   * @param from - what an earlier call returned that was not done.
   * @param onBatch - false ends the reading for now: a connection to the database never waits for a slow client.
   * @returns how far it came, or why what was missed cannot be had.
   */
  readSince(
    since: Frontier,
    client: Pick<Client, 'userId' | 'types'>,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<boolean>,
  ): Promise<ResumeProgress | { reset: string }>;
}

/** Where what a client missed came from: this instance's own order, its history, storage; or it could not be had. */
export type ResumeSourceName = 'memory' | 'history' | 'storage' | 'reset';

export interface ResumeOptions {
  history: History;
  hub: Hub;
  source: ResumeSource;
  instance: string;
  /** The rest of an id for where the stream stands now. */
  position(): string;
  /** `onReceive` has to see what comes from storage, too: what it stopped must not pass here. */
  receive(envelope: Envelope): Envelope | null | Promise<Envelope | null>;
  /** How many events a resume reads from storage for one client before it is a `reset`. */
  limit: number;
  /** A client that came back is live. */
  onDone(source: ResumeSourceName, milliseconds: number): void;
}

/** Where a client comes back from: its last id, or a snapshot from `djr.position()`. */
export type ResumeFrom = { position: Position; rest: string } | { frontier: Frontier; rest: string };

/** What is younger than the snapshot was not in it, even when its transaction id came again after a crash. */
const wasShown = ({ xid, createdAt }: Envelope, shown: Frontier): boolean =>
  xid !== null && !shown.isNew(xid) && createdAt < shown.time;

/** Items sent between two looks at whether the client keeps up. */
const CHUNK = 64;

/** Brings clients that come back to where the stream is, then lets them join it. The history is their queue. */
export class Resume {
  readonly #options: ResumeOptions;

  constructor(options: ResumeOptions) {
    this.#options = options;
  }

  /** Resolves when the client is live or gone. */
  async run(client: Client, from: ResumeFrom): Promise<void> {
    const { history, hub } = this.#options;
    let frontier = 'position' in from ? from.position.frontier : from.frontier;
    const own = 'position' in from && from.position.instance === this.#options.instance;
    let sequence = own ? from.position.sequence : undefined;
    let rest = from.rest;
    // Storage has shown the client what is visible in this: the same event in history is a repeat.
    let shown: Frontier | undefined;
    const began = performance.now();
    let source: ResumeSourceName | undefined;

    while (!client.closed) {
      if (sequence !== undefined && history.reaches(sequence)) {
        const items = history.after(sequence, CHUNK);
        if (items.length === 0) {
          hub.join(client);
          if (!client.closed) this.#options.onDone(source ?? 'memory', performance.now() - began);
          return;
        }
        const known = shown;
        client.sendAll(known ? items.filter(({ envelope }) => !wasShown(envelope, known)) : items);
        sequence = items.at(-1)!.sequence;
        await client.ready();
      } else if (history.covers(frontier)) {
        source ??= 'history';
        // From another instance: what is new since its frontier, then on from here by our own order.
        const items = history.since(frontier);
        sequence = history.lastSequence;
        await this.#sendAll(client, items, rest);
        this.#mark(client, sequence);
      } else {
        source = 'storage';
        const before = history.lastSequence;
        const result = await this.#fromStorage(client, frontier, rest);
        if ('reset' in result) {
          this.reset(client, result.reset, performance.now() - began);
          return;
        }
        sequence = before;
        shown = result;
        frontier = result;
        // No place in our order: with one, coming back would mean all of the history again.
        rest = packPosition('0', 0, result);
        this.#mark(client, sequence, rest);
      }
    }
  }

  /** What was missed can no longer be had: says so, and goes on live. */
  reset(client: Client, reason: string, milliseconds = 0): void {
    client.write(resetFrame(reason, this.#options.position()));
    this.#options.hub.join(client);
    this.#options.onDone('reset', milliseconds);
  }

  /** Moves the client's id on when it has caught up, so that a quiet stream does not resume from far back again. */
  #mark(client: Client, sequence: number, rest?: string): void {
    if (sequence === this.#options.history.lastSequence) client.write(positionFrame(rest ?? this.#options.position()));
  }

  async #sendAll(client: Client, items: readonly Item[], rest: string): Promise<void> {
    for (let i = 0; i < items.length && !client.closed; i += CHUNK) {
      client.sendAll(items.slice(i, i + CHUNK), rest);
      await client.ready();
    }
  }

  async #fromStorage(client: Client, since: Frontier, rest: string): Promise<Frontier | { reset: string }> {
    const { limit, receive, source } = this.#options;
    let sent = 0;
    let progress: ResumeProgress | undefined;
    do {
      const result = await source.readSince(since, client, progress, async (envelopes) => {
        sent += envelopes.length;
        if (sent > limit) return false;
        const items: Item[] = [];
        for (const stored of envelopes) {
          const received = receive(stored);
          const envelope = received instanceof Promise ? await received : received;
          if (envelope) items.push(new Item(0, envelope, rest));
        }
        client.sendAll(items, rest);
        return client.idle;
      });
      if (sent > limit) return { reset: `more than ${limit} events were missed` };
      if ('reset' in result) return result;
      progress = result;
      await client.ready();
    } while (!progress.done && !client.closed);
    return progress.frontier;
  }
}
