import type { Client } from '../../clients/client.js';
import type { Hub } from '../../clients/hub.js';
import type { NamedAhead } from '../../event/ahead.js';
import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import { positionFrame, resetFrame } from '../../event/frame.js';
import type { Frontier } from '../../event/frontier.js';
import { Item } from '../../event/item.js';
import { type Position, packPosition } from '../../event/position.js';
import { Semaphore } from '../../lib/semaphore.js';
import { YieldQueue } from '../../lib/yield-queue.js';
import type { History } from '../history.js';
import { type Need, type Recent, unavailable } from './backlog.js';
import { ResumeId } from './resume-id.js';
import { SharedReading } from './shared-reading.js';

/** How far a reading from storage has come. */
export interface ResumeProgress {
  /** The snapshot of the first page: later pages show nothing that it does not. */
  readonly frontier: Frontier;
  readonly last: { readonly xid: number; readonly id: number };
  readonly done: boolean;
}

/** Reads what storage has. */
export interface ResumeSource {
  /**
   * Since a frontier, what one client is entitled to and asked for.
   *
   * @param from - what an earlier call returned that was not done.
   * @param onBatch - how many it took; fewer than there are end the reading for now, behind these: a connection to the
   * database never waits for a slow client.
   * @returns how far it came, or why what was missed cannot be had.
   */
  readSince(
    since: Frontier,
    client: Reader,
    from: ResumeProgress | undefined,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | { reset: string }>;

  /** What any client may be entitled to: as far back as is needed, or as much as memory has room for. */
  readRecent(need: Need): Promise<Recent>;
}

/** What storage is asked for: events of these audiences, of these types (null: of all). */
export interface Reader {
  readonly audiences: Iterable<Audience>;
  readonly types: ReadonlySet<string> | null;
}

/** Where what a client missed came from: this instance's own order, its history, storage; or it could not be had. */
export type ResumeSourceName = 'memory' | 'history' | 'storage' | 'reset';

export interface ResumeOptions {
  history: History;
  hub: Hub;
  source(): ResumeSource;
  instance: string;
  /** The rest of an id for where the stream stands now. */
  position(): string;
  /** All that is visible in it has been delivered. */
  reached(): Frontier;
  /** Resolves when all that is visible now has been delivered. */
  catchUp(): Promise<void>;
  /** `onReceive` has to see what comes from storage, too: what it stopped must not pass here. */
  receive(envelope: Envelope): Envelope | null | Promise<Envelope | null>;
  /** How many events a resume reads from storage for one client before it is a `reset`. */
  limit: number;
  /** A client that came back is live. */
  onDone(source: ResumeSourceName, milliseconds: number): void;
}

/** What a client has got from storage: what is visible in a snapshot, and what may be missing comes behind a place in our order. */
interface Shown {
  readonly frontier: Frontier;
  readonly before: number;
}

/** Where a client comes back from: its last id, or a snapshot from `djr.position()`. */
export type ResumeFrom = ({ position: Position; rest: string } | { frontier: Frontier; rest: string }) & {
  /** Audiences that begin elsewhere: what is visible in the snapshot the page has read, what is not it lacks. */
  starts?: ReadonlyMap<Audience, Frontier>;
};

/** What is younger than the snapshot was not in it, even when its transaction id came again after a crash. */
const wasShown = ({ xid, createdAt }: Envelope, shown: Frontier): boolean =>
  xid !== null && !shown.isNew(xid) && createdAt <= shown.time;

/** Whether the page has read this event already: it is of an audience whose beginning was read later. */
function isShownAt(envelope: Envelope, starts: ReadonlyMap<Audience, Frontier>): boolean {
  const start = envelope.audience === undefined ? undefined : starts.get(envelope.audience);
  return start !== undefined && envelope.xid !== null && !start.isNew(envelope.xid);
}
/** Without those that the client has got already. */
const lacking = (items: Item[], ahead: NamedAhead | undefined): Item[] =>
  ahead ? items.filter(({ envelope }) => !ahead.has(envelope)) : items;

/** Events sent between two looks at whether the client keeps up: so many, or as few as make half of what may wait for it. */
const CHUNK = 64;

/** The next of these that go together, and at least one. */
function chunkOf<T extends { readonly size: number }>(all: readonly T[], from: number, { maxBytes }: Client): T[] {
  let bytes = 0;
  let end = from;
  while (end < all.length && end - from < CHUNK) {
    bytes += all[end]!.size;
    if (end > from && bytes > maxBytes / 2) break;
    end += 1;
  }
  return all.slice(from, end);
}

/** Clients for which storage is read each by itself, at the same time: who comes when all have one shares a reading. */
const MAX_READERS = 3;

/** Milliseconds for which a client waits until this instance has delivered all that the client had before it came. */
const MAX_CATCH_UP = 10_000;

/** Brings clients that come back to where the stream is, then lets them join it. The history is their queue. */
export class Resume {
  readonly #options: ResumeOptions;
  readonly #readers = new Semaphore(MAX_READERS);
  readonly #shared: SharedReading;
  readonly #yieldQueue = new YieldQueue();

  constructor(options: ResumeOptions) {
    this.#options = options;
    const { history, receive, source } = options;
    this.#shared = new SharedReading({ history, receive, readRecent: (need) => source().readRecent(need) });
  }

  /** Resolves when the client is live or gone. */
  async run(client: Client, from: ResumeFrom): Promise<void> {
    const { history, hub } = this.#options;
    const came = 'position' in from ? from.position.frontier : from.frontier;
    let frontier = came;
    const { starts } = from;
    const own = 'position' in from && from.position.instance === this.#options.instance;
    // What the fast lane of another instance has brought the client, in front of that frontier.
    const ahead = 'position' in from ? from.position.ahead : undefined;
    let id = new ResumeId(from.rest, came, ahead);
    let sequence = own ? from.position.sequence : undefined;
    // Storage has shown the client what is visible in this: the same event in history is a repeat.
    let shown: Frontier | undefined;
    // Storage may be ahead of what this instance has delivered: who joined at once would get that again.
    let caughtUp = false;
    const began = performance.now();
    let source: ResumeSourceName | undefined;

    if (!own) await this.#catchUp(came, ahead);
    // What comes behind its place in the order comes with all the rest. What its id names as ahead was delivered before it: to
    // others, where this client did not hear the topic yet.
    const behind = (item: Item) =>
      sequence !== undefined && history.reaches(sequence)
        ? item.sequence > sequence
        : came.isNew(item.envelope.xid ?? came.xmax) && !ahead?.has(item.envelope);
    for (const [audience, start] of starts ?? []) await this.#gap(client, audience, start, behind, id);
    const lacks = ({ envelope }: Item) => !starts || !isShownAt(envelope, starts);
    while (!client.closed) {
      if (sequence !== undefined && history.reaches(sequence)) {
        const items = chunkOf(history.after(sequence, CHUNK), 0, client);
        if (items.length === 0 && shown && !caughtUp) {
          caughtUp = true;
          await this.#catchUp(shown);
          continue;
        }
        if (items.length === 0) {
          hub.join(client);
          if (!client.closed) this.#options.onDone(source ?? 'memory', performance.now() - began);
          return;
        }
        const known = shown;
        const isNew = ({ envelope }: Item) =>
          !ahead?.has(envelope) && !(known && (wasShown(envelope, known) || wasShown(envelope, came)));
        client.sendAll((known || ahead ? items.filter(isNew) : items).filter(lacks));
        sequence = items.at(-1)!.sequence;
        await this.#paced(client);
      } else if (history.covers(frontier)) {
        source ??= 'history';
        // From another instance: what is new since its frontier, then on from here by our own order.
        const items = lacking(history.since(frontier), ahead);
        sequence = history.lastSequence;
        await this.#sendAll(client, items.filter(lacks), id);
        this.#mark(client, sequence);
      } else {
        source = 'storage';
        const result = await this.#fromStorage(
          client,
          frontier,
          id,
          (item) => !ahead?.has(item.envelope) && lacks(item),
        );
        if ('reset' in result) {
          this.reset(client, result.reset, performance.now() - began);
          return;
        }
        sequence = result.before;
        shown = result.frontier;
        frontier = result.frontier;
        // No place in our order: with one, coming back would mean all of the history again.
        id = new ResumeId(packPosition('0', 0, frontier), frontier);
        this.#mark(client, sequence, id.rest);
      }
    }
  }

  /**
   * What is visible in a frontier of elsewhere may not have been delivered here yet: a sweep has not found it, or
   * `onReceive` holds it. A client that joined before it is would get again what it has.
   */
  async #catchUp(came: Frontier, ahead?: NamedAhead): Promise<void> {
    const { catchUp, history, reached } = this.#options;
    if (reached().contains(came) && (!ahead || history.hasAll(ahead))) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MAX_CATCH_UP);
    });
    await Promise.race([catchUp(), late]).finally(() => clearTimeout(timer));
  }

  /** What an audience had between its own beginning and where the rest of the stream goes on from. */
  async #gap(
    client: Client,
    audience: Audience,
    start: Frontier,
    behind: (item: Item) => boolean,
    id: ResumeId,
  ): Promise<void> {
    const { history, limit, receive, source } = this.#options;
    const missed = (item: Item) => item.envelope.audience === audience && !behind(item);
    await this.#catchUp(start);
    if (history.covers(start)) {
      await this.#sendAll(client, history.since(start).filter(missed), id);
      return;
    }
    let sent = 0;
    let progress: ResumeProgress | undefined;
    do {
      const result = await this.#readers.run(() =>
        source().readSince(start, { audiences: [audience], types: client.types }, progress, async (envelopes) => {
          for (const stored of envelopes) {
            const envelope = await receive(stored);
            // In memory it has its place in the order.
            const item = envelope && (history.find(envelope.id) ?? new Item(0, envelope, id.rest));
            if (item && missed(item)) client.send(item, id.rest);
          }
          sent += envelopes.length;
          return client.idle && sent <= limit ? envelopes.length : 0;
        }),
      );
      const reason = 'reset' in result ? result.reset : sent > limit ? this.#tooMany().reset : undefined;
      if (reason !== undefined) {
        client.write(resetFrame(reason, id.rest));
        return;
      }
      progress = result as ResumeProgress;
      await client.ready();
    } while (!progress.done && !client.closed);
  }

  /** What was missed can no longer be had: says so, and goes on live. */
  reset(client: Client, reason: string, milliseconds = 0): void {
    client.write(resetFrame(reason, this.#options.position()));
    this.#options.hub.join(client);
    this.#options.onDone('reset', milliseconds);
  }

  /** Moves the client's id on when it has caught up, so that a quiet stream does not resume from far back again. */
  #mark(client: Client, sequence: number, rest?: string): void {
    if (sequence !== this.#options.history.lastSequence) return;
    const frame = positionFrame(rest ?? this.#options.position(), client.pulse);
    if (frame) client.write(frame);
  }

  async #sendAll(client: Client, items: readonly Item[], id: ResumeId): Promise<void> {
    for (let sent = 0; sent < items.length && !client.closed; ) {
      const chunk = chunkOf(items, sent, client);
      sent += chunk.length;
      client.sendAll(chunk, id.rest);
      id.add(chunk.map(({ envelope }) => envelope));
      // The last one is followed by the client's place in our order, unless it has to read first.
      if (sent < items.length || !client.idle) this.#got(client, id);
      await this.#paced(client);
    }
  }

  /** The client's id says from here on that it has got what was sent: not while a hook still holds any of it. */
  #got(client: Client, id: ResumeId): void {
    if (client.hooksPending) return;
    const frame = positionFrame(id.rest, client.pulse);
    if (frame) client.write(frame);
  }

  /** Resolves when the client keeps up, and the others have had their turn. */
  async #paced(client: Client): Promise<void> {
    await client.ready();
    await this.#yieldQueue.next();
  }

  async #fromStorage(
    client: Client,
    since: Frontier,
    id: ResumeId,
    lacks: (item: Item) => boolean,
  ): Promise<Shown | { reset: string }> {
    const backlog = this.#shared.held(since) ?? (this.#readers.free ? undefined : await this.#shared.next(since));
    if (backlog) {
      const reason = unavailable(backlog.state, since);
      if (reason !== undefined) return { reset: reason };
      const items = backlog.since(since, client.audiences).filter((item) => client.wants(item) && lacks(item));
      if (items.length > this.#options.limit) return this.#tooMany();
      if (backlog.covers(since)) {
        await this.#sendAll(client, items, id);
        return { frontier: backlog.state.frontier, before: backlog.before };
      }
    }
    return this.#alone(client, since, id, lacks);
  }

  /** A reading for this client only. It holds no place, and no connection, while the client reads what came. */
  async #alone(
    client: Client,
    since: Frontier,
    id: ResumeId,
    lacks: (item: Item) => boolean,
  ): Promise<Shown | { reset: string }> {
    const { history, limit, receive, source } = this.#options;
    const before = history.lastSequence;
    let sent = 0;
    let progress: ResumeProgress | undefined;
    const onBatch = async (envelopes: Envelope[]) => {
      let taken = 0;
      while (taken < envelopes.length && client.idle) {
        const chunk = chunkOf(envelopes, taken, client);
        taken += chunk.length;
        sent += chunk.length;
        if (sent > limit) break;
        const items: Item[] = [];
        const { rest } = id;
        for (const stored of chunk) {
          const received = receive(stored);
          const envelope = received instanceof Promise ? await received : received;
          if (envelope) items.push(new Item(0, envelope, rest));
        }
        client.sendAll(items.filter(lacks), rest);
        id.add(chunk);
        this.#got(client, id);
        // Who reads has read it then, and the reading goes on.
        await this.#yieldQueue.next();
      }
      return sent > limit ? 0 : taken;
    };
    do {
      const result = await this.#readers.run(() => source().readSince(since, client, progress, onBatch));
      if (sent > limit) return this.#tooMany();
      if ('reset' in result) return result;
      progress = result;
      await client.ready();
    } while (!progress.done && !client.closed);
    return { frontier: progress.frontier, before };
  }

  #tooMany(): { reset: string } {
    return { reset: `more than ${this.#options.limit} events were missed` };
  }
}
