import type { Audience } from '../event/audience.js';
import { AudienceSet } from '../event/audience-set.js';
import type { Envelope } from '../event/envelope.js';
import { eventFrame, type Pulse } from '../event/frame.js';
import type { Item } from '../event/item.js';
import type { Connection } from './connection.js';

/** Why a client's connection ended. */
export type CloseReason =
  | 'client'
  | 'slow'
  | 'stalled'
  | 'lifetime'
  | 'replaced'
  | 'shutdown'
  | 'disconnected'
  | 'interrupted';

/**
 * Milliseconds in which a client may take what is buffered for it once its stream has ended. It comes back with the id that it
 * has, so nothing is lost where it does not; a process that shuts down has less time.
 */
const END_GRACE = 5000;
const SHUTDOWN_GRACE = 500;

/** Of the largest events, so many may wait for one client. */
const LARGEST_WAITING = 4;

/** What `beforeSend` is told about the client. */
export interface ClientInfo {
  /** From `authenticate`; null: anonymous. */
  readonly userId: string | null;
  /** The request that opened the stream, as web-standard Request. */
  readonly request: Request;
}

export interface ClientOptions {
  userId: string | null;
  /** Whose events it gets: everybody's, its user's, its topics'. */
  audiences: Iterable<Audience>;
  connection: Connection;
  /** Makes the Request when a hook asks for it: a thousand idle clients need none. */
  incoming: { request(): Request };
  /** `?types=`; null: all. */
  types: ReadonlySet<string> | null;
  /** `?named=1`. */
  named: boolean;
  /** How it hears that its stream lives. @defaultValue `silent` */
  pulse?: Pulse;
  /** Bytes that may wait for this client. */
  maxBytes: number;
  /** What it counts for among the streams of its user. */
  place?: { release(): void };
  /** Runs `beforeSend` with its time-out and its errors seen to; undefined: there is none. */
  beforeSend: ((item: Item, client: ClientInfo) => Envelope | null | Promise<Envelope | null>) | undefined;
  /** It was written one event by itself, or with others while it resumes: not as one of all clients. */
  onSent(envelope: Envelope, userId: string | null): void;
  onClose(client: Client, reason: CloseReason): void;
  /** Large events come faster than it reads: it is to get this one and what follows at its own pace. */
  onBehind?(client: Client, item: Item): void;
}

/** The two that nearly all clients have are one string each, not a copy a client: they are compared for every delivery. */
const PLAIN = ':';
const NAMED = 'named:';

function variantOf({ named, types }: Pick<ClientOptions, 'named' | 'types'>): string {
  const kind = named ? NAMED : PLAIN;
  return types ? kind + [...types].sort().join(',') : kind;
}

/** One SSE connection: what it is entitled to, and a bounded queue in front of it. */
export class Client implements ClientInfo {
  readonly userId: string | null;
  audiences: AudienceSet;
  /** Where the hub's index has it. */
  slot = -1;
  /** Whether it gets events the moment they come; else it resumes still. */
  live = false;
  /** It was live, and gets at its own pace what it had no room for. */
  behind = false;
  /** The last turn of the hub in which it was found to have events of an audience. */
  turn = 0;
  readonly types: ReadonlySet<string> | null;
  readonly named: boolean;
  readonly place: ClientOptions['place'];
  /** Bytes that may wait for it. */
  maxBytes: number;
  readonly pulse: Pulse;
  /** Clients of one variant get the very same bytes; undefined: a hook makes each client's own. */
  readonly variant: string | undefined;
  /** Whole milliseconds of `performance.now()` at the last write, for the heartbeat: a fraction would be a number object. */
  lastWrite = 0;
  /** `performance.now()` after which the stream ends; Infinity: never. */
  expires = Number.POSITIVE_INFINITY;
  /** Since when bytes wait without any of them having gone, as far as was looked; undefined: nothing waits. */
  stalledSince: number | undefined;
  closed = false;
  /** Whole milliseconds of `performance.now()` at which its stream began. */
  readonly opened = Math.floor(performance.now());
  /** Events written to it. */
  sent = 0;
  /** Bytes written to it. */
  bytes = 0;
  /** Fields of its own, and not the options: those have what nobody needs any more. */
  readonly #connection: Connection;
  readonly #incoming: ClientOptions['incoming'];
  readonly #beforeSend: ClientOptions['beforeSend'];
  readonly #onSent: ClientOptions['onSent'];
  readonly #onClose: ClientOptions['onClose'];
  readonly #onBehind: ClientOptions['onBehind'];
  #request: Request | undefined;
  /** Events behind a hook that has not answered yet. */
  #hooks: Promise<void> | undefined;
  #hookBytes = 0;
  #drained: (() => void)[] | undefined;
  /** The connection's, when it was last looked at. */
  #progress: number | undefined;

  constructor(options: ClientOptions) {
    this.#connection = options.connection;
    this.#incoming = options.incoming;
    this.place = options.place;
    this.#beforeSend = options.beforeSend;
    this.#onSent = options.onSent;
    this.#onClose = options.onClose;
    this.#onBehind = options.onBehind;
    this.maxBytes = options.maxBytes;
    this.userId = options.userId;
    this.audiences = new AudienceSet(options.audiences);
    this.types = options.types;
    this.named = options.named;
    this.pulse = options.pulse ?? 'silent';
    this.variant = options.beforeSend ? undefined : variantOf(options);
    this.#connection.onDrain = () => {
      this.stalledSince = undefined;
      const waiting = this.#drained;
      this.#drained = undefined;
      for (const resolve of waiting ?? []) resolve();
    };
  }

  get request(): Request {
    this.#request ??= this.#incoming.request();
    return this.#request;
  }

  get buffered(): number {
    return this.#connection.buffered + this.#hookBytes;
  }

  /** Milliseconds for which none of the bytes that wait has gone. Who reads slowly still reads: its buffer need not empty. */
  stalledFor(now: number): number {
    if (this.stalledSince === undefined) return 0;
    const { progress } = this.#connection;
    if (this.#progress !== progress) this.stalledSince = now;
    this.#progress = progress;
    return now - this.stalledSince;
  }

  /** Whether this client may have the event, and asked for its type. Every way to a client passes here. */
  wants({ envelope }: Item): boolean {
    const { audience } = envelope;
    if (audience === undefined || !this.audiences.has(audience)) return false;
    return this.types === null || this.types.has(envelope.type);
  }

  /** Writes what is made for all clients of its {@link variant}. Closes the connection when too much waits. */
  write(chunk: Buffer, now = performance.now()): void {
    if (this.closed) return;
    this.lastWrite = Math.floor(now);
    this.bytes += chunk.length;
    try {
      if (this.#connection.write(chunk)) return;
    } catch {
      // What an app has wrapped around the response may throw: it is this client's loss, and no other's.
      this.close('client');
      return;
    }
    this.stalledSince ??= now;
    if (this.buffered > this.maxBytes) this.close('slow');
  }

  /** Whatever the bound is, some of the largest events may wait. */
  #makeRoom(items: readonly Item[]): void {
    for (const { envelope } of items) {
      if (!envelope.isLarge) continue;
      this.maxBytes = Math.max(this.maxBytes, LARGEST_WAITING * Buffer.byteLength(envelope.detailText));
    }
  }

  /**
   * A client that reads is not closed for a burst of large events: the first that it has no room for, and all behind it, it gets as
   * one that resumes. Half of its bound is for them, so that the next small event finds room.
   *
   * @returns whether it is behind now, and is not to be sent these
   */
  fallsBehind(items: readonly Item[], bytes: number): boolean {
    this.#makeRoom(items);
    const first = items[0];
    if (!first || !this.#onBehind || this.closed) return false;
    if (this.buffered + bytes <= this.maxBytes / 2 || (this.buffered === 0 && items.length === 1)) return false;
    this.live = false;
    this.behind = true;
    this.#onBehind(this, first);
    return true;
  }

  /**
   * Sends one event through `beforeSend`, behind those that a hook still holds.
   *
   * @param position - another position than the item's own: while this client resumes.
   */
  send(item: Item, position = item.position): void {
    if (this.closed || !this.wants(item)) return;
    if (item.envelope.isLarge) this.#makeRoom([item]);
    const hook = this.#beforeSend;
    if (!hook) {
      this.#count(item);
      this.write(position === item.position ? item.frame(this.named) : eventFrame(item.envelope, position, this.named));
      return;
    }
    if (this.#hooks) {
      this.#wait(
        item,
        this.#hooks.then(() => this.#hooked(item, position)),
      );
      return;
    }
    const pending = this.#hooked(item, position);
    if (pending) this.#wait(item, pending);
  }

  /** Sends events in their order, in one write where no hook has to see them. */
  sendAll(items: readonly Item[], position?: string): void {
    if (this.#beforeSend) {
      for (const item of items) this.send(item, position);
      return;
    }
    this.#makeRoom(items);
    const frames: Buffer[] = [];
    for (const item of items) {
      if (!this.wants(item)) continue;
      const shared = position === undefined || position === item.position;
      frames.push(shared ? item.frame(this.named) : eventFrame(item.envelope, position, this.named));
      this.#count(item);
    }
    if (frames.length > 0) this.write(frames.length > 1 ? Buffer.concat(frames) : frames[0]!);
  }

  #hooked(item: Item, position: string): void | Promise<void> {
    // Behind others it waited, and meanwhile the client may have lost the topic.
    if (this.closed || !this.wants(item)) return;
    const result = this.#beforeSend!(item, this);
    if (result instanceof Promise) return result.then((envelope) => this.#finish(item, position, envelope));
    this.#finish(item, position, result);
  }

  #finish(item: Item, position: string, envelope: Envelope | null): void {
    if (envelope === null || !this.wants(item)) return;
    this.#count(item);
    const shared = envelope === item.envelope && position === item.position;
    this.write(shared ? item.frame(this.named) : eventFrame(envelope, position, this.named));
  }

  #count({ envelope }: Item): void {
    this.sent += 1;
    this.#onSent(envelope, this.userId);
  }

  #wait(item: Item, pending: Promise<void>): void {
    this.#hookBytes += item.size;
    const done: Promise<void> = pending.then(() => {
      this.#hookBytes -= item.size;
      if (this.#hooks === done) this.#hooks = undefined;
    });
    this.#hooks = done;
    if (this.buffered > this.maxBytes) this.close('slow');
  }

  /** Whether events wait for `beforeSend`: the client's place is behind them. */
  get hooksPending(): boolean {
    return this.#hooks !== undefined;
  }

  /** Whether nothing waits: neither in the socket nor behind a hook. */
  get idle(): boolean {
    return !this.closed && this.stalledSince === undefined && this.#hooks === undefined;
  }

  /** Resolves when the client has read, and its hooks have answered; at once where nothing waits, or it is closed. */
  async ready(): Promise<void> {
    await this.#hooks;
    if (this.closed || this.stalledSince === undefined) return;
    await new Promise<void>((resolve) => {
      this.#drained ??= [];
      this.#drained.push(resolve);
    });
  }

  /** Ends the connection: in order where the client can still read, at once where it does not. */
  close(reason: CloseReason, last?: Buffer): void {
    if (this.closed) return;
    if (last) this.write(last);
    if (this.closed) return;
    this.closed = true;
    for (const resolve of this.#drained ?? []) resolve();
    this.#drained = undefined;
    try {
      if (reason === 'slow' || reason === 'stalled') this.#connection.destroy();
      else this.#connection.end(reason === 'shutdown' ? SHUTDOWN_GRACE : END_GRACE);
    } catch {
      // It is closed for us, whatever the other side of it says.
    }
    this.#onClose(this, reason);
  }
}
