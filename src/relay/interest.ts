import { type Audience, EVERYBODY } from '../event/audience.js';
import type { Frontier } from '../event/frontier.js';
import { hashAudience } from './audience-hash.js';
import type { Placed } from './reader.js';

export interface InterestOptions {
  /** Asks the engine for live copies of an audience's events. @returns what ends that */
  subscribe(audience: Audience): () => void;
  /**
   * From now on every event of this audience comes.
   *
   * @param frontier - all that is not visible in it comes; undefined: nobody knows of such a frontier yet
   */
  onBegin(audience: Audience, frontier: Frontier | undefined): void;
  /** All that is not visible in this frontier has come since the beginning. */
  onSettle(audience: Audience, frontier: Frontier): void;
  /** No event of this audience comes any more. */
  onEnd(audience: Audience): void;
  /** Milliseconds for which an audience is kept that no client has: a page that is loaded anew finds all in memory. */
  linger?: number;
}

/** Milliseconds for which an audience is kept that no client has. */
const LINGER = 60_000;

interface Wanted {
  /** Clients that have it. */
  clients: number;
  unsubscribe(): void;
}

/** What an edge with its own subjects takes in: the audiences of its clients, and everybody. */
export class Interest {
  readonly #options: InterestOptions;
  readonly #wanted = new Map<Audience, Wanted>();
  /** When the last client of an audience left, the longest ago first. */
  readonly #idle = new Map<Audience, number>();
  /** How many wanted audiences have a hash. */
  readonly #hashes = new Map<number, number>();
  /** Audiences that begin at the next place in the log that the follower knows. */
  #arriving = new Set<Audience>();
  #arrival: PromiseWithResolvers | undefined;
  /** Audiences that have begun, and the sequence behind which: the log has earlier events of theirs that no frontier shows yet. */
  readonly #unsettled = new Map<Audience, number>();

  constructor(options: InterestOptions) {
    this.#options = options;
    this.add([EVERYBODY]);
  }

  /** Audiences that it has. */
  get size(): number {
    return this.#wanted.size;
  }

  has(audience: Audience): boolean {
    return this.#wanted.has(audience);
  }

  /** Whether a message with this hash of its audience may be wanted. */
  hasHash(hash: number): boolean {
    return this.#hashes.has(hash);
  }

  /**
   * A client has these audiences from now on.
   *
   * @returns `added`: those that are asked for only now; `begun`: resolves when events of all of them are sure to come
   */
  add(audiences: Iterable<Audience>): {
    readonly added: readonly Audience[];
    readonly begun: Promise<void>;
    end(): void;
  } {
    const own = [...new Set(audiences)];
    const added: Audience[] = [];
    for (const audience of own) {
      const wanted = this.#wanted.get(audience);
      if (wanted) {
        wanted.clients += 1;
        this.#idle.delete(audience);
      } else {
        this.#want(audience);
        added.push(audience);
      }
    }
    const isArriving = own.some((audience) => this.#arriving.has(audience));
    const begun = isArriving ? this.#arrival!.promise : Promise.resolve();
    let ended = false;
    return {
      added,
      begun,
      end: () => {
        if (ended) return;
        ended = true;
        for (const audience of own) this.#leave(audience);
      },
    };
  }

  /** Audiences that were asked for begin here. @param isCaughtUp - nothing that comes was delivered before */
  arrive(at: Placed, isCaughtUp: boolean): void {
    const arriving = this.#arriving;
    if (arriving.size === 0) return;
    this.#arriving = new Set();
    const { said, sequence } = at;
    const settled = isCaughtUp && said.aheadFrom === 0;
    for (const audience of arriving) {
      if (!settled) this.#unsettled.set(audience, sequence);
      this.#options.onBegin(audience, settled ? said.frontier : undefined);
    }
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  /** A checkpoint has come. Where it shows all that the log had at the beginning of an audience, that one is settled. */
  settle({ said: { aheadFrom, frontier } }: Placed): void {
    for (const [audience, sequence] of this.#unsettled) {
      if (aheadFrom !== 0 && aheadFrom <= sequence) continue;
      this.#unsettled.delete(audience);
      this.#options.onSettle(audience, frontier);
    }
  }

  /** The log is another one, which ends here. */
  move({ sequence }: Placed): void {
    for (const audience of this.#unsettled.keys()) this.#unsettled.set(audience, sequence);
  }

  /** Nothing is known of what came before: every audience begins anew. */
  restart(): void {
    this.#unsettled.clear();
    for (const audience of this.#wanted.keys()) this.#expect(audience);
  }

  /** Ends what no client has had for a while. */
  sweep(now = performance.now()): void {
    const { linger = LINGER, onEnd } = this.#options;
    for (const [audience, idleAt] of this.#idle) {
      if (now - idleAt < linger) break;
      const { unsubscribe } = this.#wanted.get(audience)!;
      this.#idle.delete(audience);
      this.#wanted.delete(audience);
      this.#arriving.delete(audience);
      this.#unsettled.delete(audience);
      const hash = hashAudience(audience);
      const others = this.#hashes.get(hash)! - 1;
      if (others > 0) this.#hashes.set(hash, others);
      else this.#hashes.delete(hash);
      unsubscribe();
      onEnd(audience);
    }
  }

  #want(audience: Audience): void {
    const hash = hashAudience(audience);
    this.#hashes.set(hash, (this.#hashes.get(hash) ?? 0) + 1);
    const unsubscribe = this.#options.subscribe(audience);
    this.#wanted.set(audience, { clients: 1, unsubscribe });
    this.#expect(audience);
  }

  #expect(audience: Audience): void {
    this.#arriving.add(audience);
    this.#arrival ??= withResolvers();
  }

  #leave(audience: Audience): void {
    const wanted = this.#wanted.get(audience);
    if (!wanted) return;
    wanted.clients -= 1;
    if (wanted.clients === 0) this.#idle.set(audience, performance.now());
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  resolve(): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
