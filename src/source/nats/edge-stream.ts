import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { inTime, orThrow } from '../../lib/deadline.js';
import { DjrError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { LogStatus } from '../../relay/checkpoint.js';
import type { Engine } from '../../relay/engine.js';
import { Follower, type Place } from '../../relay/follower.js';
import { Interest } from '../../relay/interest.js';
import { Beginnings } from '../../stream/beginnings.js';
import type { Downstream } from '../../stream/downstream.js';
import { EdgeHead } from './edge-head.js';

export interface EdgeStreamOptions {
  engine: Engine;
  downstream: Downstream;
  logger: Logger;
  /** Events that the history has room for. */
  historyEvents: number;
  /** With the subjects of its own clients alone: the name of its order, which is this instance's. */
  own: string | undefined;
  /** Of {@link Follower}. */
  maxFill?: number;
}

/** Milliseconds for which a client waits until the engine has heard that its events are asked for, and until they come. */
const HEARD = 1000;
const BEGUN = 10_000;

/** Milliseconds that a client waits for the checkpoint that names what was published for it just before. */
const NAMED = 1000;

/** Milliseconds behind the end of a cut up to which checkpoints tell of it: the edge knows the database's clock roughly. */
const SWITCHED = 2000;

/** What an edge takes out of the log, on its way to history and clients. */
export class EdgeStream {
  readonly head: EdgeHead;
  readonly follower: Follower;
  readonly #options: EdgeStreamOptions;
  readonly #interest: Interest | undefined;
  #status: LogStatus | undefined;
  #movedAt = 0;
  /** When the last event was published that has no row because storage is off, milliseconds since 1970. */
  #unstoredAt = 0;
  /** Audiences have been asked for that the engine may not know yet. */
  #telling: Promise<void> | undefined;
  /** Audiences have begun whose last events nobody here has heard. */
  #settling: Promise<unknown> | undefined;
  /**
   * Since a cut: the checkpoints up to this time of the database may say that storage was switched off meanwhile. Milliseconds since 1970;
   * undefined: none may.
   */
  #awayUntil: number | undefined;
  /** Every client is told with the first frontier of the new history. */
  #isReplaced = false;

  constructor(options: EdgeStreamOptions) {
    this.#options = options;
    const { downstream, engine, historyEvents, logger, maxFill, own } = options;
    const { history } = downstream;
    const { subjects } = engine;
    this.head = new EdgeHead(own);
    history.beginnings = own === undefined ? undefined : new Beginnings();
    const hear = (subject: string) =>
      engine.follow(subjects.live(subject), (copy, before) => this.follower.hear({ ...copy, before }));
    this.#interest =
      own === undefined
        ? undefined
        : new Interest({
            subscribe: (audience) => hear(subjects.event('*', audience)),
            onBegin: (audience, frontier) => history.beginnings!.begin(audience, history.lastSequence, frontier),
            onSettle: (audience, frontier) => history.beginnings!.settle(audience, frontier),
            onEnd: (audience) => history.beginnings!.end(audience),
          });
    this.follower = new Follower({
      log: engine,
      subjects,
      logger,
      warm: historyEvents,
      maxFill,
      interest: this.#interest,
      onBegin: (frontier, status, sequence) => {
        // The numbers of an order of its own go on.
        if (own === undefined) history.startAt(frontier.xmax, sequence);
        else history.startAt(frontier.xmax);
        this.#move(frontier, status);
      },
      // An order of its own has each event once, in the place where it was delivered.
      onSkip: (sequence) => own === undefined && history.markIncompleteUpTo(sequence),
      onBack: (xid, sequence) => {
        history.startAt(xid, sequence);
        this.head.lose(sequence);
      },
      onGap: () => {
        history.startAt(Number.POSITIVE_INFINITY);
        downstream.interrupted();
      },
      onReplaced: () => {
        history.startAt(Number.POSITIVE_INFINITY);
        this.#isReplaced = true;
      },
      deliver: (envelope, place) => this.#deliver(envelope, place),
      onCheckpoint: (frontier, status) => this.#move(frontier, status),
    });
    if (own === undefined) hear(subjects.log);
    else for (const subject of [subjects.checkpoint(), subjects.claim(), subjects.order('*')]) hear(subject);
    engine.follow(subjects.tell('presence'), ({ text }) => {
      downstream.presenceChanged(JSON.parse(text) as string[] | null);
    });
  }

  /** What the last checkpoint says of the database; undefined before the first. */
  get status(): LogStatus | undefined {
    return this.#status;
  }

  /** Now, by the database's clock, at least: milliseconds since 1970; 0 before the start. */
  get time(): number {
    const moved = this.#movedAt;
    return moved === 0 ? 0 : Math.floor(this.head.reached.time + performance.now() - moved);
  }

  /** Audiences that are asked for; undefined: all events come. */
  get audiences(): number | undefined {
    return this.#interest?.size;
  }

  /** @throws {@link DjrError} `DJR_DATABASE` when the log cannot be read, so that nobody knows what comes */
  async interest(audiences: Iterable<Audience>): Promise<() => void> {
    if (!this.#interest) return () => {};
    const { engine } = this.#options;
    const { added, begun, end } = this.#interest.add(audiences);
    const isTold = added.length > 0 && engine.connected;
    try {
      this.follower.arrive();
      if (isTold) this.#tell();
      // An event without a row comes for those audiences only that the engine knows by then; another client may have asked for them just now.
      if (this.#telling) await inTime(this.#telling, HEARD);
      await orThrow(begun, BEGUN, () => new DjrError('DJR_DATABASE', 'The relay cannot be read.'));
      if (isTold) this.#settle(added);
      // Another client may have asked for the same audience just now.
      await this.#settling;
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Finds out when the engine knows all audiences that have been asked for. */
  #tell(): void {
    const telling = this.#options.engine.flush().finally(() => {
      if (this.#telling === telling) this.#telling = undefined;
    });
    this.#telling = telling;
  }

  /**
   * Waits for what was published for these audiences before they were asked for. Only the next checkpoint names it, so it would come behind
   * what is heard from now on. An engine that does not answer keeps nobody from the memory of this edge.
   */
  #settle(audiences: readonly Audience[]): void {
    const settling = Promise.all([this.#settling, inTime(this.#named(audiences), NAMED)])
      .catch((err: unknown) => {
        this.#options.logger.debug({ err }, 'the relay did not say what it had for a client before it came');
      })
      .finally(() => {
        if (this.#settling === settling) this.#settling = undefined;
      });
    this.#settling = settling;
  }

  /** Resolves when a checkpoint has come that names all that the log has for these audiences by now. */
  async #named(audiences: readonly Audience[]): Promise<void> {
    const { engine } = this.#options;
    const { at } = this.follower;
    if (!at) return;
    const { generation } = at;
    const newest = await Promise.all(
      audiences.map((one) => engine.newest(engine.subjects.event(generation, one), false)),
    );
    const last = Math.max(0, ...newest.map((message) => message?.sequence ?? 0));
    await this.follower.until((placed) => placed.sequence > last || placed.generation !== generation);
  }

  tick(): void {
    this.follower.tick();
    this.#interest?.sweep();
  }

  /** The connection to the engine is there again. */
  back(): void {
    const { downstream } = this.#options;
    this.follower.back();
    downstream.reconnected();
    this.#awayUntil = this.time + SWITCHED;
    this.#interruptUnstored();
  }

  /** Events without a row are in no log, so clients of an edge that was cut off while there were such events have to be told. */
  #interruptUnstored(): void {
    if (this.#awayUntil === undefined || this.head.isStored) return;
    this.#awayUntil = undefined;
    this.#options.downstream.interrupted();
  }

  #deliver(envelope: Envelope, place: Place | undefined): void {
    if (place) this.head.place(place.generation + place.term, place.sequence);
    else if (!envelope.unstored) {
      // Storage is off, which the next checkpoint may not know yet.
      this.#unstoredAt = Math.max(this.#unstoredAt, envelope.createdAt);
      this.head.isStored = false;
      this.#options.downstream.history.stored = false;
    }
    void this.#options.downstream.deliver(envelope);
  }

  #move(frontier: Frontier, status: LogStatus): void {
    const { downstream } = this.#options;
    const { history } = downstream;
    const before = this.#status && this.head.reached;
    this.#status = status;
    this.#movedAt = performance.now();
    const isStored = status.storage && frontier.time > this.#unstoredAt;
    history.stored = isStored;
    history.restarted(status.startedAt);
    // Events were pruned or had no row since the frontier before, and nobody here knows which.
    if (before?.isNew(status.prunedXid)) history.markIncompleteBefore(frontier.xmax);
    downstream.setActivity(status.activity);
    this.head.isStored = isStored;
    this.head.moveTo(frontier);
    this.#interruptUnstored();
    if (this.#awayUntil !== undefined && frontier.time > this.#awayUntil) this.#awayUntil = undefined;
    if (!this.#isReplaced) return;
    this.#isReplaced = false;
    downstream.replaced();
  }
}
