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

/** Which of the topics that a client asked for it may hear. */
export interface Heard {
  /** The topics that it may hear, and when each permission ends: milliseconds since 1970 by the database's clock; Infinity: only when it is revoked. */
  readonly topics: ReadonlyMap<string, number>;
  /** The topics that it may not hear, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Why a topic is refused. The key is the label of the metric, the text is what the client is told. */
const REFUSALS = {
  name: 'a topic has 1 to 255 characters, and no white space',
  permission: 'no seal, and no permission',
  user: 'the seal is for another user',
  expired: 'the seal has expired',
  revoked: 'the seal was made before the permission was taken back',
} as const;

type Refusal = keyof typeof REFUSALS;

const NOTHING: Heard = { topics: new Map(), refused: new Map() };

/** Milliseconds for which keys and revocations are kept before they are read again. After that time no instance accepts a rotated-out key. */
const FRESH = 30_000;

/** At least so many milliseconds lie between two readings because of an unknown key: a client that makes up keys must cost next to nothing. */
const UNKNOWN_KEY = 1000;

/** Decides who may hear which topic: by seals, by the app's answers, and by the orders of `djr.disconnect` and `djr.recheck`. */
export class Topics {
  /** How many topics were refused, by reason. */
  readonly refused: Record<Refusal, number> = { name: 0, permission: 0, user: 0, expired: 0, revoked: 0 };
  readonly #options: TopicsOptions;
  readonly #authorizer: Authorizer;
  #keys: ReadonlyMap<string, SealKey> = new Map();
  #revocations: readonly Revocation[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: { readonly changes: number; readonly done: Promise<void> } | undefined;
  /** How often permissions were revoked: a reading that began before the last revocation is out of date when it arrives. */
  #changes = 0;
  readonly #orders = new Orders();
  readonly #ends = new SealEnds((client, audience) => this.#leave(client, audience, 'the seal has expired'));

  constructor(options: TopicsOptions) {
    this.#options = options;
    this.#authorizer = new Authorizer(options);
  }

  /** A topic must never be a label: an app may have any number of topics. */
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

  /** Users whom presence counts on this instance: they have a stream here, or had one a moment ago; undefined: presence is off. */
  get present(): number | undefined {
    return this.#options.presence?.users;
  }

  /** Questions to the app that failed or were not answered in time. */
  get failures(): number {
    return this.#authorizer.failures;
  }

  /** The audiences whose events a client gets. */
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

  /** Checks seals. @returns for each topic the seal that is valid for it, or why none is */
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
          // A page with a new seal shows the previous one as well; the one that lasts longer counts.
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

  /** Reads keys and revocations, unless they were read less than so many milliseconds ago. */
  async #refresh(fresh: number): Promise<void> {
    while (performance.now() - this.#readAt >= fresh) {
      const { changes } = this.#reading ?? { changes: this.#changes };
      this.#reading ??= { changes, done: this.#read() };
      const { done } = this.#reading;
      await done;
      // The reading says what was true when it began. That is enough for a caller unless permissions were revoked meanwhile.
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

  /** Carries out an order of `djr.disconnect` or `djr.recheck`. */
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

  /** Whether an order for this user or these topics has come since then. If so, a stream that is being opened must ask again. */
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
    // The client's seal is not looked at, as it was made before: only the app's answer of now counts, or a new seal.
    if (topic === undefined || (await this.#authorizer.mayHear(client.userId, topic))) return;
    this.#leave(client, audience, 'the permission was taken back');
  }

  /** Takes an audience from a client and tells the client; its stream goes on. */
  #leave(client: Client, audience: Audience, reason: string): void {
    const topic = topicOf(audience);
    if (topic === undefined || client.closed || !client.audiences.has(audience)) return;
    this.#options.hub.drop(client, audience);
    // Writing the turn may have closed the client. Then presence has already counted it out of all its topics.
    if (client.closed) return;
    this.#options.presence?.left(client, topic);
    client.write(leftFrame(topic, reason));
  }

  /** A stream has begun: from now on its seals are watched, and it loses a topic when the seal for it ends. */
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
