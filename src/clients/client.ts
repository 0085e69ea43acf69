import type { Audience } from '../event/audience.js';
import { AudienceSet } from '../event/audience-set.js';
import type { Envelope } from '../event/envelope.js';
import { eventFrame, type Pulse } from '../event/frame.js';
import type { Item } from '../event/item.js';
import type { CloseReason } from './close-reason.js';
import type { Connection } from './connection.js';
import { variantOf } from './variant.js';

/**
 * Milliseconds in which a client may still read its buffered bytes after its stream has ended. If it does not, nothing is lost: it
 * reconnects with the last id that it has. A process that shuts down gives less time.
 */
const END_GRACE = 5000;
const SHUTDOWN_GRACE = 500;

/** So many events of the largest size may wait for one client, whatever its bound in bytes is. */
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
  /** The audiences whose events the client gets: everybody, its user, its topics. */
  audiences: Iterable<Audience>;
  connection: Connection;
  /** Makes the Request when a hook asks for it; most clients never need one. */
  incoming: { request(): Request };
  /** The types in `?types=`; null: all. */
  types: ReadonlySet<string> | null;
  /** Whether its frames carry the event's type as `event:` field (`?named=1`). */
  named: boolean;
  /** The form of its heartbeats. @defaultValue `silent` */
  pulse?: Pulse;
  /** Bytes that may wait for this client. */
  maxBytes: number;
  /** Its place among the streams of its user. */
  place?: { release(): void };
  /** Runs the hook `beforeSend` with its time-out and handles its errors; undefined: there is no hook. */
  beforeSend: ((item: Item, client: ClientInfo) => Envelope | null | Promise<Envelope | null>) | undefined;
  /** An event was written to this client alone, because of a hook or while it resumes. Events to many clients at once are counted by the hub. */
  onSent(envelope: Envelope, userId: string | null): void;
  onClose(client: Client, reason: CloseReason): void;
  /** Large events come faster than the client reads: it must get this one and what follows at its own pace. */
  onBehind?(client: Client, item: Item): void;
}

/** One SSE connection: the audiences that it is entitled to, and a bounded queue of bytes and hooks. */
export class Client implements ClientInfo {
  readonly userId: string | null;
  audiences: AudienceSet;
  /** Its slot in the hub's index. */
  slot = -1;
  /** Whether it gets events as they are delivered; false while it resumes. */
  live = false;
  /** Whether it was live and now resumes, because it had no room for large events. */
  behind = false;
  /** The last turn of the hub in which one of its audiences had events. */
  turn = 0;
  readonly types: ReadonlySet<string> | null;
  readonly named: boolean;
  readonly place: ClientOptions['place'];
  /** Bytes that may wait for it. */
  maxBytes: number;
  readonly pulse: Pulse;
  /** Clients of one variant get the same bytes; undefined: a hook makes the bytes for each client. */
  readonly variant: string | undefined;
  /** `performance.now()` at the last write, for the heartbeat. In whole milliseconds, because V8 stores a fraction as an object. */
  lastWrite = 0;
  /** `performance.now()` after which the stream ends; Infinity: never. */
  expires = Number.POSITIVE_INFINITY;
  /** Since when bytes have been waiting without any of them being read, as far as the last check saw; undefined: nothing waits. */
  stalledSince: number | undefined;
  closed = false;
  /** Whole milliseconds of `performance.now()` at which its stream began. */
  readonly opened = Math.floor(performance.now());
  /** Events written to it. */
  sent = 0;
  /** Bytes written to it. */
  bytes = 0;
  /** Copied from the options: keeping the options would keep objects alive that nobody needs any more. */
  readonly #connection: Connection;
  readonly #incoming: ClientOptions['incoming'];
  readonly #beforeSend: ClientOptions['beforeSend'];
  readonly #onSent: ClientOptions['onSent'];
  readonly #onClose: ClientOptions['onClose'];
  readonly #onBehind: ClientOptions['onBehind'];
  #request: Request | undefined;
  /** Resolves when the hook has answered for all events so far; undefined: no event waits for it. */
  #hooks: Promise<void> | undefined;
  #hookBytes = 0;
  #drained: (() => void)[] | undefined;
  /** The connection's {@link Connection.progress} at the last check. */
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

  /** Milliseconds for which none of the waiting bytes was read. A client that reads slowly does not count: its buffer need not become empty. */
  stalledFor(now: number): number {
    if (this.stalledSince === undefined) return 0;
    const { progress } = this.#connection;
    if (this.#progress !== progress) this.stalledSince = now;
    this.#progress = progress;
    return now - this.stalledSince;
  }

  /** Whether this client may have the event and asked for its type. Every event passes this check before it is sent. */
  wants({ envelope }: Item): boolean {
    const { audience } = envelope;
    if (audience === undefined || !this.audiences.has(audience)) return false;
    return this.types === null || this.types.has(envelope.type);
  }

  /** Writes bytes. Closes the connection if too many are waiting. */
  write(chunk: Buffer, now = performance.now()): void {
    if (this.closed) return;
    this.lastWrite = Math.floor(now);
    this.bytes += chunk.length;
    try {
      if (this.#connection.write(chunk)) return;
    } catch {
      // A middleware of the app may have wrapped the response and throw. Only this client is affected.
      this.close('client');
      return;
    }
    this.stalledSince ??= now;
    if (this.buffered > this.maxBytes) this.close('slow');
  }

  /** Raises the bound in bytes, so that {@link LARGEST_WAITING} events of the largest size may wait. */
  #makeRoom(envelope: Envelope): void {
    if (!envelope.isLarge) return;
    this.maxBytes = Math.max(this.maxBytes, LARGEST_WAITING * Buffer.byteLength(envelope.detailText));
  }

  /**
   * Checks whether there is room for events with large ones among them. A client that reads must not be closed because of a burst of
   * large events, so from the first one that does not fit it gets events as a client that resumes. Large events may use half of its
   * bound, so that small events still find room.
   *
   * @returns true if it is behind now, and these events must not be sent to it
   */
  fallsBehind(items: readonly Item[], bytes: number): boolean {
    for (const { envelope } of items) this.#makeRoom(envelope);
    const first = items[0];
    if (!first || !this.#onBehind || this.closed) return false;
    if (this.buffered + bytes <= this.maxBytes / 2 || (this.buffered === 0 && items.length === 1)) return false;
    this.live = false;
    this.behind = true;
    this.#onBehind(this, first);
    return true;
  }

  /**
   * Sends one event through `beforeSend`, after the events that still wait for the hook.
   *
   * @param position - the position in the frame's id, which while this client resumes is not the item's own
   */
  send(item: Item, position = item.position): void {
    if (this.closed || !this.wants(item)) return;
    this.#makeRoom(item.envelope);
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

  /** Sends events in their order; without a hook in one write. */
  sendAll(items: readonly Item[], position?: string): void {
    if (this.#beforeSend) {
      for (const item of items) this.send(item, position);
      return;
    }
    for (const { envelope } of items) this.#makeRoom(envelope);
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
    // If the event waited for the hook, the client may have lost the topic meanwhile.
    if (this.closed || !this.wants(item)) return;
    const result = this.#beforeSend!(item, this);
    if (result instanceof Promise) return result.then((envelope) => this.#finish(item, position, envelope));
    this.#finish(item, position, result);
  }

  #finish(item: Item, position: string, envelope: Envelope | null): void {
    if (envelope === null || !this.wants(item)) return;
    // The hook may have made the event large. A client that is closed for that would get the same event when it resumes, and so on.
    this.#makeRoom(envelope);
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

  /** Whether events wait for `beforeSend`: then not everything up to the current position was sent to the client. */
  get hooksPending(): boolean {
    return this.#hooks !== undefined;
  }

  /** Whether nothing waits, neither bytes for the client nor events for the hook. */
  get idle(): boolean {
    return !this.closed && this.stalledSince === undefined && this.#hooks === undefined;
  }

  /** Resolves when the client has read everything and its hooks have answered; at once if nothing waits or it is closed. */
  async ready(): Promise<void> {
    await this.#hooks;
    if (this.closed || this.stalledSince === undefined) return;
    await new Promise<void>((resolve) => {
      this.#drained ??= [];
      this.#drained.push(resolve);
    });
  }

  /** Ends the connection. A client that does not read (`slow`, `stalled`) is dropped at once, any other may read what is buffered. @param last - a last frame */
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
      // The client counts as closed even if closing the connection throws.
    }
    this.#onClose(this, reason);
  }
}
