import type { Client } from '../../clients/client.js';
import type { Hub } from '../../clients/hub.js';
import type { NamedAhead } from '../../event/ahead.js';
import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { Item } from '../../event/item.js';
import { type Position, packPosition, parsePosition } from '../../event/position.js';
import type { History } from '../history.js';
import { isForeign } from './backlog.js';
import type { ResumeOrigin } from './resume.js';
import { ResumeId } from './resume-id.js';
import { CHUNK, chunkOf, type Sender } from './sender.js';
import { catchUpWith, type ResumeSource } from './source.js';
import type { StorageReader, Unavailable } from './storage-reader.js';

/** Where a client resumes from: its last id, or a snapshot that its page has read with `djr.position()`. */
export type ResumeFrom = ({ last: Position } | { frontier: Frontier }) & {
  /** The text of the position with which the client came: {@link ResumeId} makes the ids of its first frames from it. */
  position: string;
  /** Audiences that begin at a snapshot of their own: the page has read what is visible in it, and lacks what is not. */
  starts?: ReadonlyMap<Audience, Frontier> | undefined;
};

/** The objects that a resumption uses. */
export interface ResumeTools {
  readonly hub: Hub;
  readonly history: History;
  readonly source: ResumeSource;
  readonly sender: Sender;
  readonly storage: StorageReader;
}

/**
 * The resume of one client, from its last position until it joins the live stream. Each step tries three sources and takes the first that
 * has everything the client lacks: the history by the client's sequence number, the history by its frontier, or storage.
 */
export class Resumption {
  readonly #client: Client;
  readonly #tools: ResumeTools;
  readonly #starts: ResumeFrom['starts'];
  /** The frontier with which the client reconnected, or to which it followed this instance's order. */
  #came: Frontier;
  /** Events that the client's last id names: an instance had delivered them before the client left, although that frontier did not include them. */
  #ahead: NamedAhead | undefined;
  /** The client's position in this instance's order; undefined: it has none. */
  #position: string | undefined;
  /** The client has got every event that is visible in this frontier. */
  #frontier: Frontier;
  /** The sequence number up to which the client needs no further item; undefined: it has no sequence number of this instance's order yet. */
  #sequence: number | undefined;
  /** The snapshot up to which the client was sent events from storage: an item of the history that is visible in it is a repeat. */
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
    if (last?.instance === tools.source.order) {
      this.#sequence = last.sequence;
      this.#position = from.position;
    }
    this.#id = new ResumeId(from.position, this.#came, this.#ahead);
  }

  /**
   * Resolves when the client is live or gone: with `storage` if any step read storage, otherwise with `history` if a step searched by
   * frontier, otherwise with `memory`. Or it resolves with the reason why the missed events cannot be had.
   */
  async run(): Promise<ResumeOrigin | Unavailable> {
    const client = this.#client;
    if (this.#sequence === undefined) await catchUpWith(this.#came, this.#tools, this.#ahead);
    for (const [audience, start] of this.#starts ?? []) await this.#fillGap(audience, start);
    if (this.#sequence === undefined && this.#isForeign(this.#came)) {
      const failed = await this.#fromStorage();
      if (failed) return failed;
    }
    while (!client.closed) {
      if (this.#canFollow()) {
        if (await this.#followOrder()) break;
        continue;
      }
      this.#leaveOrder();
      if (this.#tools.history.covers(this.#frontier, client.audiences)) await this.#fromHistory();
      else {
        const failed = await this.#fromStorage();
        if (failed) return failed;
      }
    }
    return this.#origin ?? 'memory';
  }

  /**
   * Whether a frontier is not from this database, after this instance has caught up with it. Its transaction ids mean nothing to the
   * history. A reading from storage, whose snapshot is of now, tells for certain.
   */
  #isForeign(frontier: Frontier): boolean {
    return isForeign(frontier, this.#tools.source.reached);
  }

  /** Whether the client has a sequence number of this instance's order, and the history has everything after it. */
  #canFollow(): boolean {
    return this.#sequence !== undefined && this.#tools.history.reaches(this.#sequence, this.#client.audiences);
  }

  /**
   * The history no longer has what follows the client's position in this instance's order, so the client goes on by the frontier of
   * that position. Its ids have no sequence number then: nothing would be found by it.
   */
  #leaveOrder(): void {
    const { frontier, ahead } = parsePosition(`0-${this.#position}`) ?? {};
    this.#position = undefined;
    // A reading from storage has brought the client further than that.
    if (!frontier || this.#snapshot) return;
    this.#came = frontier;
    this.#frontier = frontier;
    this.#ahead = ahead;
    this.#id = new ResumeId(packPosition('0', 0, frontier), frontier, ahead);
  }

  /** Sends the next items of this instance's order. @returns whether the client has joined the live stream */
  async #followOrder(): Promise<boolean> {
    const { history, sender } = this.#tools;
    const items = chunkOf(history.after(this.#sequence!, CHUNK), 0, this.#client);
    if (items.length === 0) {
      if (this.#join()) return true;
      // Storage may have shown events that this instance has not delivered yet. A client that joined now would get them again.
      this.#caughtUp = true;
      await catchUpWith(this.#snapshot!, this.#tools);
      return false;
    }
    this.#client.sendAll(items.filter((item) => this.#lacks(item) && !this.#wasInStorage(item)));
    const { position, sequence } = items.at(-1)!;
    this.#sequence = sequence;
    this.#position = position;
    // A client that waited for another turn here would lack the events of that turn again, and so on while many resume.
    if (sequence === history.lastSequence && this.#client.idle && this.#join()) return true;
    await sender.keepUp(this.#client);
    return false;
  }

  /** Lets a client that has everything join the live stream. It runs in the same turn as the look at the history, so that no event comes in between. */
  #join(): boolean {
    if (this.#snapshot && !this.#caughtUp) return false;
    this.#tools.hub.join(this.#client);
    return true;
  }

  /** For a client that was on another instance: sends what is new since its frontier. It then has a sequence number of this instance's order. */
  async #fromHistory(): Promise<void> {
    const { history, sender, source } = this.#tools;
    this.#origin ??= 'history';
    const items = history.since(this.#frontier).filter((item) => this.#lacks(item));
    const { position } = source;
    this.#sequence = history.lastSequence;
    await sender.sendAll(this.#client, items, this.#id);
    this.#position = position;
    this.#markCaughtUp(source.position);
  }

  /** Sends what is new since the client's frontier from storage. @returns why that cannot be had; undefined: it was sent */
  async #fromStorage(): Promise<Unavailable | undefined> {
    const { storage } = this.#tools;
    this.#origin = 'storage';
    const result = await storage.read(this.#client, this.#frontier, this.#id, (item) => this.#lacks(item));
    if ('reset' in result) return result;
    this.#sequence = result.before;
    this.#snapshot = result.frontier;
    this.#frontier = result.frontier;
    // The id has no sequence number of this instance's order: with one, a client that is cut off now would get all of the history again.
    this.#id = new ResumeId(packPosition('0', 0, this.#frontier), this.#frontier);
    this.#markCaughtUp(this.#id.position);
    return undefined;
  }

  /** Moves the client's last id once it has caught up, so that after a quiet time it does not resume from far back again. */
  #markCaughtUp(position: string): void {
    const { history, sender } = this.#tools;
    if (this.#sequence === history.lastSequence) sender.mark(this.#client, position);
  }

  /** Sends the events of one audience between its own snapshot and the position from which the rest of the stream resumes. */
  async #fillGap(audience: Audience, start: Frontier): Promise<void> {
    const { history, sender, storage } = this.#tools;
    const client = this.#client;
    const missed = (item: Item) => item.envelope.audience === audience && !this.#comesLater(item);
    await catchUpWith(start, this.#tools);
    const covered = !this.#isForeign(start) && history.covers(start, [audience]);
    if (covered) await sender.sendAll(client, history.since(start).filter(missed), this.#id);
    else await storage.readAudience(client, audience, start, this.#id, missed);
  }

  /**
   * Whether later steps send this item. They skip the events that the client's last id names. For an audience with a start of its own
   * those must be sent here, as the client was not subscribed to it when they were delivered.
   */
  #comesLater({ envelope, sequence }: Item): boolean {
    if (this.#canFollow()) return sequence > this.#sequence!;
    return this.#came.isNew(envelope.xid ?? this.#came.xmax) && !this.#ahead?.has(envelope);
  }

  /** Whether the client lacks this event: it had not got it before it reconnected, and its page has not read its effect. */
  #lacks({ envelope }: Item): boolean {
    return !this.#ahead?.has(envelope) && !this.#wasReadByPage(envelope);
  }

  /** Whether the event belongs to an audience with a snapshot of its own and is visible in that snapshot. */
  #wasReadByPage({ audience, xid }: Envelope): boolean {
    const start = audience === undefined ? undefined : this.#starts?.get(audience);
    return start !== undefined && xid !== null && !start.isNew(xid);
  }

  #wasInStorage({ envelope }: Item): boolean {
    return this.#snapshot !== undefined && (isIn(this.#snapshot, envelope) || isIn(this.#came, envelope));
  }
}

/** Whether an event is visible in a snapshot. An event that is younger than the snapshot is not, even if its transaction id was used before a crash. */
const isIn = (snapshot: Frontier, { xid, createdAt }: Envelope): boolean =>
  xid !== null && !snapshot.isNew(xid) && createdAt <= snapshot.time;
