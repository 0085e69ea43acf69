import { type Audience, EVERYBODY, topicAudience, topicOf, userAudience } from '../delivery/audience.js';
import type { Client } from '../delivery/client.js';
import type { Envelope } from '../delivery/envelope.js';
import { disconnectedFrame, leftFrame } from '../delivery/frame.js';
import type { Hub } from '../delivery/hub.js';
import type { Logger } from '../logger.js';
import { Authorizer, type AuthorizeTopic } from './authorizer.js';
import type { Presence } from './presence.js';
import { isRevoked, keyOf, openSeal, type Revocation, type Seal, type SealKey } from './seal.js';
import type { TopicStore } from './topic-store.js';

export interface TopicsOptions {
  store: TopicStore;
  hub: Hub;
  /** Undefined: presence is off. */
  presence?: Presence | undefined;
  authorizeTopic?: AuthorizeTopic | undefined;
  timeout: number;
  logger: Logger;
  /** Now, by the database's clock, milliseconds since 1970. */
  time(): number;
}

/** What a client may hear of what it asked for. */
export interface Heard {
  /** With when each ends, milliseconds since 1970 by the database's clock; Infinity: when it is taken back. */
  readonly topics: ReadonlyMap<string, number>;
  /** With why not. */
  readonly refused: ReadonlyMap<string, string>;
}

const NOTHING: Heard = { topics: new Map(), refused: new Map() };

/** Milliseconds for which keys and revocations are believed: a rotated key is void everywhere behind it. */
const FRESH = 30_000;

/** Milliseconds between two readings because of a key that is not known: whoever makes one up must cost nothing. */
const UNKNOWN_KEY = 1000;

/** Milliseconds for which an order is remembered for streams that are being opened: longer than any login takes. */
const REMEMBERED = 60_000;

/** Milliseconds between two looks at which seals have ended. */
const EXPIRY = 500;

interface Order {
  readonly at: number;
  readonly type: string;
  readonly userId: string | null;
}

/** Who may hear which topic: seals, the app's answers, and the orders that take them back. */
export class Topics {
  readonly #options: TopicsOptions;
  readonly #authorizer: Authorizer;
  #keys: ReadonlyMap<string, SealKey> = new Map();
  #revocations: readonly Revocation[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #orders: Order[] = [];
  /** When the permissions of clients with seals end, the next first; `performance.now()`. */
  readonly #ends = new Map<Client, [Audience, number][]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TopicsOptions) {
    this.#options = options;
    this.#authorizer = new Authorizer(options);
  }

  /** Answers that could not be had from the app. */
  get failures(): number {
    return this.#authorizer.failures;
  }

  /** The keys of the events that a client gets. */
  audiencesOf(userId: string | null, heard: Heard): Audience[] {
    const audiences = [EVERYBODY];
    if (userId !== null) audiences.push(userAudience(userId));
    for (const topic of heard.topics.keys()) audiences.push(topicAudience(topic));
    return audiences;
  }

  /** Which of these topics a user (null: anonymous) may hear, by a seal or by the app's answer. */
  async heard(userId: string | null, asked: readonly string[], seals: readonly string[]): Promise<Heard> {
    if (asked.length === 0) return NOTHING;
    const topics = new Map<string, number>();
    const refused = new Map<string, string>();
    const sealed = await this.#open(userId, seals);
    await Promise.all(
      [...new Set(asked)].map(async (topic) => {
        const seal = sealed.get(topic);
        if (typeof seal === 'object') topics.set(topic, seal.ends);
        else if (await this.#authorizer.mayHear(userId, topic)) topics.set(topic, Number.POSITIVE_INFINITY);
        else refused.set(topic, seal ?? 'no seal, and no permission');
      }),
    );
    return { topics, refused };
  }

  /** The sound seals by their topic; of another one why it is not. */
  async #open(userId: string | null, seals: readonly string[]): Promise<Map<string, Seal | string>> {
    const found = new Map<string, Seal | string>();
    if (seals.length === 0) return found;
    await this.#refresh(FRESH);
    for (const text of seals) {
      const id = keyOf(text);
      if (id === undefined) continue;
      if (!this.#keys.has(id)) await this.#refresh(UNKNOWN_KEY);
      const key = this.#keys.get(id);
      const seal = key && openSeal(text, key);
      if (!seal) continue;
      const reason = this.#refusal(seal, userId);
      const before = found.get(seal.topic);
      if (reason === undefined) {
        // A page that has just got a new seal shows the one before it, too.
        if (typeof before !== 'object' || before.ends < seal.ends) found.set(seal.topic, seal);
      } else if (!found.has(seal.topic)) found.set(seal.topic, reason);
    }
    return found;
  }

  #refusal(seal: Seal, userId: string | null): string | undefined {
    if (seal.userId !== null && seal.userId !== userId) return 'the seal is for another user';
    if (seal.ends <= this.#options.time()) return 'the seal has expired';
    if (isRevoked(seal, userId, this.#revocations)) return 'the seal was made before the permission was taken back';
    return undefined;
  }

  /** Reads keys and revocations, unless they were read within this time. */
  async #refresh(fresh: number): Promise<void> {
    if (performance.now() - this.#readAt < fresh) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    const began = performance.now();
    const { keys, revocations } = await this.#options.store.permissions();
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#revocations = revocations;
    this.#readAt = began;
  }

  /** Carries out what `djr.disconnect` or `djr.recheck` ordered. */
  async order({ type, userId, detailText }: Envelope): Promise<void> {
    const detail = JSON.parse(detailText) as { topic?: unknown; reason?: unknown };
    const now = performance.now();
    this.#orders = [...this.#orders.filter(({ at }) => now - at < REMEMBERED), { at: now, type, userId }];
    const clients = [...this.#options.hub.clients].filter((client) => userId === null || client.userId === userId);
    if (type === 'disconnect') {
      if (userId === null) return;
      const reason = typeof detail.reason === 'string' ? detail.reason : undefined;
      for (const client of clients) client.close('disconnected', disconnectedFrame(reason));
    } else if (type === 'recheck') {
      this.#readAt = Number.NEGATIVE_INFINITY;
      await this.#recheck(clients, typeof detail.topic === 'string' ? detail.topic : undefined);
    }
  }

  /** Whether an order concerned this user since then: a stream that was being opened must ask again. */
  concerned(userId: string | null, since: number): boolean {
    return this.#orders.some((order) => order.at >= since && (order.userId === null || order.userId === userId));
  }

  async #recheck(clients: readonly Client[], only: string | undefined): Promise<void> {
    await Promise.all(
      clients.flatMap((client) =>
        client.audiences.map(async (audience) => {
          const topic = topicOf(audience);
          if (topic === undefined || (only !== undefined && only !== topic)) return;
          // A seal says nothing of today: whoever still may hear the topic gets a new one.
          if (await this.#authorizer.mayHear(client.userId, topic)) return;
          this.#leave(client, audience, 'the permission was taken back');
        }),
      ),
    );
  }

  /** The stream goes on without this audience, and says so. */
  #leave(client: Client, audience: Audience, reason: string): void {
    const topic = topicOf(audience);
    if (topic === undefined || client.closed || !client.audiences.includes(audience)) return;
    this.#options.hub.drop(client, audience);
    this.#options.presence?.left(client, topic);
    client.write(leftFrame(topic, reason));
  }

  /** A stream has begun: what its seals allow ends when they do. */
  watch(client: Client, heard: Heard): void {
    this.#options.presence?.came(client);
    const time = this.#options.time();
    const now = performance.now();
    const ends: [Audience, number][] = [];
    for (const [topic, end] of heard.topics) {
      if (end !== Number.POSITIVE_INFINITY) ends.push([topicAudience(topic), now + end - time]);
    }
    if (ends.length === 0) return;
    ends.sort(([, one], [, other]) => one - other);
    this.#ends.set(client, ends);
    this.#timer ??= setInterval(() => this.#expire(), EXPIRY).unref();
  }

  /** A stream has ended. */
  forget(client: Client): void {
    this.#options.presence?.went(client);
    this.#unwatch(client);
  }

  #unwatch(client: Client): void {
    this.#ends.delete(client);
    if (this.#ends.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #expire(): void {
    const now = performance.now();
    for (const [client, ends] of this.#ends) {
      while (ends.length > 0 && ends[0]![1] <= now) this.#leave(client, ends.shift()![0], 'the seal has expired');
      if (ends.length === 0) this.#unwatch(client);
    }
  }
}
