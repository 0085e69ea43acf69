import type { Client } from '../../clients/client.js';
import type { Hub } from '../../clients/hub.js';
import type { NamedAhead } from '../../event/ahead.js';
import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { Item } from '../../event/item.js';
import { type Position, packPosition } from '../../event/position.js';
import type { History } from '../history.js';
import type { ResumeOrigin } from './resume.js';
import { ResumeId } from './resume-id.js';
import { CHUNK, chunkOf, type Sender } from './sender.js';
import { catchUpWith, type ResumeSource } from './source.js';
import type { StorageReader, Unavailable } from './storage-reader.js';

/** Where a client comes back from: its last id, or a snapshot that its page has read in `djr.position()`. */
export type ResumeFrom = ({ last: Position } | { frontier: Frontier }) & {
  /** What stands behind the dash in the ids of its frames while it resumes. */
  position: string;
  /** Audiences that begin elsewhere: the page has read what is visible in the snapshot, and lacks what is not. */
  starts?: ReadonlyMap<Audience, Frontier> | undefined;
};

/** What a resumption works with. */
export interface ResumeTools {
  readonly hub: Hub;
  readonly history: History;
  readonly source: ResumeSource;
  readonly sender: Sender;
  readonly storage: StorageReader;
}

/** The way of one client from where it was to where the stream is. */
export class Resumption {
  readonly #client: Client;
  readonly #tools: ResumeTools;
  readonly #starts: ResumeFrom['starts'];
  /** The frontier that the client came with. */
  readonly #came: Frontier;
  /** Events that it had got in front of that frontier, by the fast lane of another instance. */
  readonly #ahead: NamedAhead | undefined;
  /** All that is visible in it the client has got by now. */
  #frontier: Frontier;
  /** The number of the last item that the client has, or needs not; undefined: it has no place in this order yet. */
  #sequence: number | undefined;
  /** What storage showed the client: an event that is visible in it is a repeat when history has it, too. */
  #snapshot: Frontier | undefined;
  #caughtUp = false;
  #id: ResumeId;
  #origin: ResumeOrigin | undefined;

  constructor(client: Client, from: ResumeFrom, tools: ResumeTools) {
    this.#client = client;
    this.#tools = tools;
    this.#starts = from.starts;
    const last = 'last' in from ? from.last : undefined;
    this.#came = 'last' in from ? from.last.frontier : from.frontier;
    this.#frontier = this.#came;
    this.#ahead = last?.ahead;
    this.#sequence = last?.instance === tools.source.order ? last.sequence : undefined;
    this.#id = new ResumeId(from.position, this.#came, this.#ahead);
  }

  /** Resolves when the client is live, with where the first of what it missed came from; or with why it cannot be had. */
  async run(): Promise<ResumeOrigin | Unavailable> {
    const client = this.#client;
    if (this.#sequence === undefined) await catchUpWith(this.#came, this.#tools, this.#ahead);
    for (const [audience, start] of this.#starts ?? []) await this.#fillGap(audience, start);
    while (!client.closed) {
      if (this.#hasPlace()) {
        if (await this.#followOrder()) break;
      } else if (this.#tools.history.covers(this.#frontier)) await this.#fromHistory();
      else {
        const failed = await this.#fromStorage();
        if (failed) return failed;
      }
    }
    return this.#origin ?? 'memory';
  }

  /** Whether history has all that came behind the client's place in this order. */
  #hasPlace(): boolean {
    return this.#sequence !== undefined && this.#tools.history.reaches(this.#sequence);
  }

  /** Sends what comes next in this order. @returns whether that was nothing: the client has joined the stream */
  async #followOrder(): Promise<boolean> {
    const { history, hub, sender } = this.#tools;
    const items = chunkOf(history.after(this.#sequence!, CHUNK), 0, this.#client);
    if (items.length === 0) {
      if (!this.#snapshot || this.#caughtUp) {
        // In the same step as the look at history: no event comes in between.
        hub.join(this.#client);
        return true;
      }
      // Storage may be ahead of what this instance has delivered: a client that joined now would get that again.
      this.#caughtUp = true;
      await catchUpWith(this.#snapshot, this.#tools);
      return false;
    }
    this.#client.sendAll(items.filter((item) => this.#lacks(item) && !this.#wasInStorage(item)));
    this.#sequence = items.at(-1)!.sequence;
    await sender.keepUp(this.#client);
    return false;
  }

  /** From another instance: what is new since its frontier, then on from here by this order. */
  async #fromHistory(): Promise<void> {
    const { history, sender } = this.#tools;
    this.#origin ??= 'history';
    const items = history.since(this.#frontier).filter((item) => this.#lacks(item));
    this.#sequence = history.lastSequence;
    await sender.sendAll(this.#client, items, this.#id);
    this.#markCaughtUp(this.#tools.source.position);
  }

  /** @returns why there is nothing to be had */
  async #fromStorage(): Promise<Unavailable | undefined> {
    const { storage } = this.#tools;
    this.#origin = 'storage';
    const result = await storage.read(this.#client, this.#frontier, this.#id, (item) => this.#lacks(item));
    if ('reset' in result) return result;
    this.#sequence = result.before;
    this.#snapshot = result.frontier;
    this.#frontier = result.frontier;
    // No place in this order: with one, coming back would mean all of the history again.
    this.#id = new ResumeId(packPosition('0', 0, this.#frontier), this.#frontier);
    this.#markCaughtUp(this.#id.position);
    return undefined;
  }

  /** Moves the client's id on when it has caught up, so that a quiet stream does not resume from far back again. */
  #markCaughtUp(position: string): void {
    const { history, sender } = this.#tools;
    if (this.#sequence === history.lastSequence) sender.mark(this.#client, position);
  }

  /** What an audience had between its own beginning and where the rest of the stream goes on from. */
  async #fillGap(audience: Audience, start: Frontier): Promise<void> {
    const { history, sender, storage } = this.#tools;
    const client = this.#client;
    const missed = (item: Item) => item.envelope.audience === audience && !this.#comesLater(item);
    await catchUpWith(start, this.#tools);
    if (history.covers(start)) await sender.sendAll(client, history.since(start).filter(missed), this.#id);
    else await storage.readAudience(client, audience, start, this.#id, missed);
  }

  /**
   * Whether the rest of the resume brings this item. What the client's id names as ahead was delivered before it: to others,
   * while this client did not hear the topic yet.
   */
  #comesLater({ envelope, sequence }: Item): boolean {
    if (this.#hasPlace()) return sequence > this.#sequence!;
    return this.#came.isNew(envelope.xid ?? this.#came.xmax) && !this.#ahead?.has(envelope);
  }

  /** Whether the client has neither got this event before it came, nor has its page read it. */
  #lacks({ envelope }: Item): boolean {
    return !this.#ahead?.has(envelope) && !this.#wasReadByPage(envelope);
  }

  /** An event of an audience whose beginning the page has read later than the rest. */
  #wasReadByPage({ audience, xid }: Envelope): boolean {
    const start = audience === undefined ? undefined : this.#starts?.get(audience);
    return start !== undefined && xid !== null && !start.isNew(xid);
  }

  #wasInStorage({ envelope }: Item): boolean {
    return this.#snapshot !== undefined && (isIn(this.#snapshot, envelope) || isIn(this.#came, envelope));
  }
}

/** What is younger than the snapshot is not in it, even when its transaction id came again after a crash. */
const isIn = (snapshot: Frontier, { xid, createdAt }: Envelope): boolean =>
  xid !== null && !snapshot.isNew(xid) && createdAt <= snapshot.time;
