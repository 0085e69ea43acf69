import type { Client } from '../../clients/client.js';
import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import { resetFrame } from '../../event/frame.js';
import type { Frontier } from '../../event/frontier.js';
import { Item } from '../../event/item.js';
import { Semaphore } from '../../lib/semaphore.js';
import type { History } from '../history.js';
import type { Hooks } from '../hooks.js';
import { unavailable } from './backlog.js';
import type { ResumeId } from './resume-id.js';
import { chunkOf, type Sender } from './sender.js';
import { SharedReading } from './shared-reading.js';
import type { ResumeProgress, StoredEvents, Wanted } from './source.js';

export interface StorageReaderOptions {
  source: StoredEvents;
  history: History;
  hooks: Pick<Hooks, 'receive'>;
  sender: Sender;
  /** How many events may be read from storage for one client; with more the client is told `reset`. */
  limit: number;
}

/** How far a client has got by a reading from storage. */
export interface StorageSnapshot {
  /** It has got every event that is visible in this frontier. */
  readonly frontier: Frontier;
  /** Every event that it still lacks has a higher sequence number than this, in this instance's order. */
  readonly before: number;
}

/** The reason why a client cannot have the events that it missed. */
export interface Unavailable {
  readonly reset: string;
}

/**
 * Storage is read for up to so many clients at a time, each by itself. Further clients share one reading. The backlog that an earlier
 * shared reading left is used first. A client that the shared reading does not cover waits until it can be read for by itself.
 */
const MAX_READERS = 3;

/** Reads from storage the events that clients missed, and sends them. */
export class StorageReader {
  readonly #options: StorageReaderOptions;
  readonly #readers = new Semaphore(MAX_READERS);
  readonly #shared: SharedReading;

  constructor(options: StorageReaderOptions) {
    this.#options = options;
    this.#shared = new SharedReading(options);
  }

  /** Sends a client the events that are new since a frontier. @param lacks - whether the client still lacks an event */
  async read(
    client: Client,
    since: Frontier,
    id: ResumeId,
    lacks: (item: Item) => boolean,
  ): Promise<StorageSnapshot | Unavailable> {
    const { audiences } = client;
    const held = this.#shared.held(since, audiences);
    const backlog = held ?? (this.#readers.free ? undefined : await this.#shared.next(since, audiences));
    if (backlog) {
      const reason = unavailable(backlog.state, since);
      if (reason !== undefined) return { reset: reason };
      const items = backlog.since(since, audiences).filter((item) => client.wants(item) && lacks(item));
      if (items.length > this.#options.limit) return this.#tooMany();
      if (backlog.covers(since)) {
        await this.#options.sender.sendAll(client, items, id);
        return { frontier: backlog.state.frontier, before: backlog.before };
      }
    }
    return this.#readAlone(client, since, id, lacks);
  }

  /** Reads for this client only. While the client reads what was sent, it holds no turn of {@link MAX_READERS} and no connection to the database. */
  async #readAlone(
    client: Client,
    since: Frontier,
    id: ResumeId,
    lacks: (item: Item) => boolean,
  ): Promise<StorageSnapshot | Unavailable> {
    const { history, limit, sender } = this.#options;
    const before = history.lastSequence;
    let sent = 0;
    const onBatch = async (envelopes: Envelope[]) => {
      let taken = 0;
      while (taken < envelopes.length && client.idle) {
        const chunk = chunkOf(envelopes, taken, client);
        taken += chunk.length;
        sent += chunk.length;
        if (sent > limit) break;
        const items = await this.#received(chunk, id.position);
        client.sendAll(items.filter(lacks), id.position);
        id.add(chunk);
        sender.mark(client, id.position);
        // A client that reads fast has read it after this turn, and then the reading goes on.
        await sender.turn();
      }
      return sent > limit ? 0 : taken;
    };
    const result = await this.#readPages(client, since, client, () => sent > limit, onBatch);
    return 'reset' in result ? result : { frontier: result.frontier, before };
  }

  /** Passes stored events through `onReceive`, as an event that it stopped must not reach a client by a resume. */
  async #received(stored: readonly Envelope[], position: string): Promise<Item[]> {
    const items: Item[] = [];
    for (const one of stored) {
      const received = this.#options.hooks.receive(one);
      const envelope = received instanceof Promise ? await received : received;
      if (envelope) items.push(new Item(0, envelope, position));
    }
    return items;
  }

  /**
   * Sends a client the events of one audience that are new since the audience's own snapshot. If they cannot be had, it writes a `reset`
   * frame to the client, and the rest of the resume goes on.
   */
  async readAudience(
    client: Client,
    audience: Audience,
    since: Frontier,
    id: ResumeId,
    lacks: (item: Item) => boolean,
  ): Promise<void> {
    const { history, limit } = this.#options;
    let sent = 0;
    const onBatch = async (envelopes: Envelope[]) => {
      for (const { envelope, position } of await this.#received(envelopes, id.position)) {
        // If the history has the event, its item has a sequence number, by which the caller decides.
        const item = history.find(envelope.id) ?? new Item(0, envelope, position);
        if (lacks(item)) client.send(item, position);
      }
      sent += envelopes.length;
      return client.idle && sent <= limit ? envelopes.length : 0;
    };
    const wanted = { audiences: [audience], types: client.types };
    const result = await this.#readPages(client, since, wanted, () => sent > limit, onBatch);
    if ('reset' in result) client.write(resetFrame(result.reset, id.position));
  }

  async #readPages(
    client: Client,
    since: Frontier,
    wanted: Wanted,
    isTooMany: () => boolean,
    onBatch: (envelopes: Envelope[]) => Promise<number>,
  ): Promise<ResumeProgress | Unavailable> {
    const { source } = this.#options;
    let progress: ResumeProgress | undefined;
    do {
      const result = await this.#readers.run(() => source.readSince(since, wanted, progress, onBatch));
      if (isTooMany()) return this.#tooMany();
      if ('reset' in result) return result;
      progress = result;
      await client.ready();
    } while (!progress.done && !client.closed);
    return progress;
  }

  #tooMany(): Unavailable {
    return { reset: `more than ${this.#options.limit} events were missed` };
  }
}
