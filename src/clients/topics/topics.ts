import { type Audience, EVERYBODY, isTopic, topicAudience, topicOf, userAudience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import { disconnectedFrame, leftFrame } from '../../event/frame.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';
import type { Client } from '../client.js';
import type { Hub } from '../hub.js';
import { Authorizer, type AuthorizeTopic } from './authorizer.js';
import { Orders } from './orders.js';
import type { Presence } from './presence.js';
import { isRevoked, keyOf, openSeal, type Revocation, type Seal, type SealKey } from './seal.js';
import { SealEnds } from './seal-ends.js';
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

/** Why a topic is refused: a class, for the metrics, and what the client is told. */
const REFUSALS = {
  name: 'a topic has 1 to 255 characters, and no white space',
  permission: 'no seal, and no permission',
  user: 'the seal is for another user',
  expired: 'the seal has expired',
  revoked: 'the seal was made before the permission was taken back',
} as const;

type Refusal = keyof typeof REFUSALS;

const NOTHING: Heard = { topics: new Map(), refused: new Map() };

/** Milliseconds for which keys and revocations are believed: a rotated key is void everywhere behind it. */
const FRESH = 30_000;

/** Milliseconds between two readings because of a key that is not known: whoever makes one up must cost nothing. */
const UNKNOWN_KEY = 1000;

/** Who may hear which topic: seals, the app's answers, and the orders that take them back. */
export class Topics {
  /** Topics that clients asked for and may not hear, by why. */
  readonly refused: Record<Refusal, number> = { name: 0, permission: 0, user: 0, expired: 0, revoked: 0 };
  readonly #options: TopicsOptions;
  readonly #authorizer: Authorizer;
  #keys: ReadonlyMap<string, SealKey> = new Map();
  #revocations: readonly Revocation[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: { readonly changes: number; readonly done: Promise<void> } | undefined;
  /** How often the permissions have changed: what a reading that began before says is old when it comes. */
  #changes = 0;
  readonly #orders = new Orders();
  readonly #ends = new SealEnds((client, audience) => this.#leave(client, audience, 'the seal has expired'));

  constructor(options: TopicsOptions) {
    this.#options = options;
    this.#authorizer = new Authorizer(options);
  }

  /** Never with a topic as a label: there are as many as the app makes. */
  metrics(meter: Meter): void {
    meter.counters(
      'djr_topics_refused_total',
      'Topics that clients asked for and may not hear, by why',
      'reason',
      () => this.refused,
    );
    meter.counter(
      'djr_topic_authorization_failures_total',
      'Questions to the app who may hear what that failed, or had no answer in time',
      () => this.failures,
    );
    meter.gauge('djr_presence_users', 'Users with a stream, where presence is on', () => this.present);
  }

  /** Users whom presence tells of: those with a stream here, or with one a moment ago; undefined: it is off. */
  get present(): number | undefined {
    return this.#options.presence?.users;
  }

  /** Answers that could not be had from the app. */
  get failures(): number {
    return this.#authorizer.failures;
  }

  /** The keys of the events that a client gets. */
  audiencesOf(userId: string | null, heard: Heard): Audience[] {
    const own = userId === null ? [] : [userAudience(userId)];
    return [EVERYBODY, ...own, ...[...heard.topics.keys()].map(topicAudience)];
  }

  /** Which of these topics a user (null: anonymous) may hear, by a seal or by the app's answer. */
  async heard(userId: string | null, asked: readonly string[], seals: readonly string[]): Promise<Heard> {
    if (asked.length === 0) return NOTHING;
    const sealed = await this.#open(userId, seals);
    const decide = async (topic: string): Promise<number | Refusal> => {
      if (!isTopic(topic)) return 'name';
      const seal = sealed.get(topic);
      if (typeof seal === 'object') return seal.ends;
      if (await this.#authorizer.mayHear(userId, topic)) return Number.POSITIVE_INFINITY;
      return seal ?? 'permission';
    };
    const names = [...new Set(asked)];
    const decided = await Promise.all(names.map(decide));
    const topics = new Map<string, number>();
    const refused = new Map<string, string>();
    for (const [place, topic] of names.entries()) {
      const answer = decided[place]!;
      if (typeof answer === 'number') topics.set(topic, answer);
      else {
        refused.set(topic, REFUSALS[answer]);
        this.refused[answer] += 1;
      }
    }
    return { topics, refused };
  }

  /** The sound seals by their topic; of another one why it is not. */
  async #open(userId: string | null, seals: readonly string[]): Promise<Map<string, Seal | Refusal>> {
    const found = new Map<string, Seal | Refusal>();
    if (seals.length === 0) return found;
    await this.#refresh(FRESH);
    for (const text of seals) {
      const id = keyOf(text);
      if (id === undefined) continue;
      if (!this.#keys.has(id)) await this.#refresh(UNKNOWN_KEY);
      const key = this.#keys.get(id);
      const seal = key && openSeal(text, key);
      if (!seal) continue;
      for (const topic of seal.topics) {
        const reason = this.#refusal(seal, topic, userId);
        const before = found.get(topic);
        if (reason === undefined) {
          // A page that has just got a new seal shows the one before it, too.
          if (typeof before !== 'object' || before.ends < seal.ends) found.set(topic, seal);
        } else if (!found.has(topic)) found.set(topic, reason);
      }
    }
    return found;
  }

  #refusal(seal: Seal, topic: string, userId: string | null): Refusal | undefined {
    if (seal.userId !== null && seal.userId !== userId) return 'user';
    if (seal.ends <= this.#options.time()) return 'expired';
    if (isRevoked(seal, topic, userId, this.#revocations)) return 'revoked';
    return undefined;
  }

  /** Reads keys and revocations, unless they were read within this time. */
  async #refresh(fresh: number): Promise<void> {
    while (performance.now() - this.#readAt >= fresh) {
      const { changes } = this.#reading ?? { changes: this.#changes };
      this.#reading ??= { changes, done: this.#read() };
      const { done } = this.#reading;
      await done;
      // What this reading said was true when it began, for whoever waited since then.
      if (changes === this.#changes) return;
    }
  }

  async #read(): Promise<void> {
    const began = performance.now();
    const changes = this.#changes;
    try {
      const { keys, revocations } = await this.#options.store.permissions();
      if (changes !== this.#changes) return;
      this.#keys = new Map(keys.map((key) => [key.id, key]));
      this.#revocations = revocations;
      this.#readAt = began;
    } finally {
      this.#reading = undefined;
    }
  }

  /** Carries out what `djr.disconnect` or `djr.recheck` ordered. */
  async order({ type, userId, detailText }: Envelope): Promise<void> {
    const detail = JSON.parse(detailText) as { topic?: unknown; reason?: unknown };
    const topic = typeof detail.topic === 'string' ? detail.topic : undefined;
    this.#orders.add({ type, userId, topic: topic ?? null });
    if (type === 'disconnect') {
      if (userId === null) return;
      const reason = typeof detail.reason === 'string' ? detail.reason : undefined;
      for (const client of [...this.#clientsOf(userId)]) client.close('disconnected', disconnectedFrame(reason));
    } else if (type === 'recheck') {
      this.#readAt = Number.NEGATIVE_INFINITY;
      this.#changes += 1;
      await this.#recheck(userId, topic);
    }
  }

  #clientsOf(userId: string): Iterable<Client> {
    return this.#options.hub.clientsOf(userAudience(userId));
  }

  /** Whether an order has come since then for this user or these topics: a stream that is being opened must ask again. */
  concerned(userId: string | null, asked: readonly string[], since: number): boolean {
    return this.#orders.concern(userId, asked, since);
  }

  async #recheck(userId: string | null, topic: string | undefined): Promise<void> {
    const { hub } = this.#options;
    const audience = topic === undefined ? EVERYBODY : topicAudience(topic);
    const clients = userId === null ? hub.clientsOf(audience) : this.#clientsOf(userId);
    const asked: Promise<void>[] = [];
    for (const client of clients) {
      const own = topic === undefined ? client.audiences : [audience];
      for (const each of own) if (client.audiences.has(each)) asked.push(this.#ask(client, each));
    }
    await Promise.all(asked);
  }

  async #ask(client: Client, audience: Audience): Promise<void> {
    const topic = topicOf(audience);
    // A seal says nothing of today: a client that may still hear the topic gets a new one.
    if (topic === undefined || (await this.#authorizer.mayHear(client.userId, topic))) return;
    this.#leave(client, audience, 'the permission was taken back');
  }

  /** The stream goes on without this audience, and says so. */
  #leave(client: Client, audience: Audience, reason: string): void {
    const topic = topicOf(audience);
    if (topic === undefined || client.closed || !client.audiences.has(audience)) return;
    this.#options.hub.drop(client, audience);
    // Its last write may have closed it: then presence has been told of all its topics.
    if (client.closed) return;
    this.#options.presence?.left(client, topic);
    client.write(leftFrame(topic, reason));
  }

  /** A stream has begun: what its seals allow ends when they do. */
  watch(client: Client, heard: Heard): void {
    this.#options.presence?.came(client);
    const time = this.#options.time();
    const now = performance.now();
    this.#ends.watch(client, (audience) => {
      const end = heard.topics.get(topicOf(audience) ?? '') ?? Number.POSITIVE_INFINITY;
      return now + end - time;
    });
  }

  /** A stream has ended. */
  forget(client: Client): void {
    this.#options.presence?.went(client);
    this.#ends.forget(client);
  }
}
