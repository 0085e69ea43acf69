import { topicAudience, topicOf } from '../../event/audience.js';
import { presenceFrame } from '../../event/frame.js';
import type { Logger } from '../../lib/logger.js';
import { OnceLogger } from '../../lib/once-logger.js';
import type { Client } from '../client.js';
import type { Hub } from '../hub.js';

/** How many streams of a user an instance has for a topic; empty topic: of any kind. */
export interface PresenceCount {
  readonly topic: string;
  readonly userId: string;
  readonly streams: number;
}

export interface PresenceStore {
  /** @param afresh - forgets first what this instance told before. */
  report(counts: readonly PresenceCount[], afresh: boolean): Promise<void>;
  /** Who hears these topics, on any instance. */
  usersOf(topics: readonly string[]): Promise<Map<string, string[]>>;
}

export interface PresenceOptions {
  store: PresenceStore;
  hub: Hub;
  logger: Logger;
  /** Milliseconds for which a user who is gone may come back without having left: longer than a page takes to reload. */
  grace: number;
}

/** Milliseconds between two batches: a thousand joins in a second are a handful of statements and frames. */
const PERIOD = 500;

/** Milliseconds between two looks at all topics, whether anything was heard or not. */
const BACKSTOP = 15_000;

/** Users that a frame names; of more it says how many. */
const MAX_NAMED = 200;

/** Any stream of a user, whatever it hears. */
const ANY = '';

const keyOf = (topic: string, userId: string): string => `${topic}\n${userId}`;

/** Which users hear which topics: counts this instance's, tells the database, and tells the clients what changed anywhere. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #onceLog: OnceLogger;
  readonly #counts = new Map<string, { readonly topic: string; readonly userId: string; streams: number }>();
  /** What the database has to be told. */
  #changed = new Set<string>();
  /** Users without a stream, and when that is told; the next first, as all wait equally long. */
  readonly #leaving = new Map<string, number>();
  /** Who hears the topics of this instance's clients, as these were told. */
  readonly #known = new Map<string, Set<string>>();
  /** Clients of this instance, by topic. */
  readonly #listeners = new Map<string, number>();
  /** Topics to be looked at; all: there was more than a message names. */
  #stale = new Set<string>();
  #allStale = true;
  /** Clients that are to be told who is there. */
  #newcomers = new Map<string, Set<Client>>();
  #afresh = true;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.#turn().finally(() => {
        this.#running = undefined;
      });
    }, PERIOD);
    this.#timer.unref();
  }

  /** Users with a stream here, those included that may be back in a moment. */
  get users(): number {
    let users = 0;
    for (const { topic } of this.#counts.values()) if (topic === ANY) users += 1;
    return users;
  }

  /** The database may have lost what this instance told it. */
  resync(): void {
    this.#afresh = true;
    this.#allStale = true;
  }

  /** Another instance, or this one, has told the database of changes. @param topics - null: more than could be named */
  heard(topics: readonly string[] | null): void {
    if (topics === null) this.#allStale = true;
    else for (const topic of topics) if (this.#listeners.has(topic)) this.#stale.add(topic);
  }

  /** A stream has begun. */
  came(client: Client): void {
    this.#count(client, ANY, 1);
    for (const audience of client.audiences) {
      const topic = topicOf(audience);
      if (topic === undefined) continue;
      this.#count(client, topic, 1);
      this.#listeners.set(topic, (this.#listeners.get(topic) ?? 0) + 1);
      const newcomers = this.#newcomers.get(topic);
      if (newcomers) newcomers.add(client);
      else this.#newcomers.set(topic, new Set([client]));
    }
  }

  /** A stream has ended. */
  went(client: Client): void {
    this.#count(client, ANY, -1);
    for (const audience of client.audiences) {
      const topic = topicOf(audience);
      if (topic !== undefined) this.left(client, topic);
    }
  }

  /** A stream goes on without this topic. */
  left(client: Client, topic: string): void {
    this.#count(client, topic, -1);
    this.#newcomers.get(topic)?.delete(client);
    const listeners = (this.#listeners.get(topic) ?? 0) - 1;
    if (listeners > 0) {
      this.#listeners.set(topic, listeners);
      return;
    }
    this.#listeners.delete(topic);
    this.#known.delete(topic);
    this.#newcomers.delete(topic);
    this.#stale.delete(topic);
  }

  #count({ userId }: Client, topic: string, change: 1 | -1): void {
    if (userId === null) return;
    const key = keyOf(topic, userId);
    let entry = this.#counts.get(key);
    if (!entry) {
      entry = { topic, userId, streams: 0 };
      this.#counts.set(key, entry);
    }
    const came = entry.streams === 0;
    entry.streams += change;
    if (entry.streams > 0) {
      // Back within the time: it has not been told that the user was gone.
      if (!(came && this.#leaving.delete(key)) || change < 0) this.#changed.add(key);
      return;
    }
    this.#leaving.delete(key);
    this.#leaving.set(key, performance.now() + this.#options.grace);
  }

  async #turn(): Promise<void> {
    try {
      this.#settle();
      await this.#tell();
      await this.#look();
      this.#onceLog.end('presence is kept again');
    } catch (err) {
      this.#onceLog.say('warn', { err }, 'presence could not be told or read; will try again');
    }
  }

  /** Who has been gone for long enough has left. */
  #settle(): void {
    const now = performance.now();
    for (const [key, at] of this.#leaving) {
      if (at > now) break;
      this.#leaving.delete(key);
      this.#changed.add(key);
    }
  }

  async #tell(): Promise<void> {
    const afresh = this.#afresh;
    if (!afresh && this.#changed.size === 0) return;
    const keys = afresh ? [...this.#counts.keys()] : [...this.#changed];
    const changed = this.#changed;
    this.#changed = new Set();
    this.#afresh = false;
    const counts = keys.map((key) => this.#counts.get(key)!);
    try {
      await this.#options.store.report(
        // A user who may be back in a moment is still there.
        counts.map(({ topic, userId, streams }) => ({
          topic,
          userId,
          streams: this.#leaving.has(keyOf(topic, userId)) ? Math.max(1, streams) : streams,
        })),
        afresh,
      );
    } catch (err) {
      for (const key of changed) this.#changed.add(key);
      this.#afresh ||= afresh;
      throw err;
    }
    for (const [place, key] of keys.entries()) {
      if (counts[place]!.streams === 0 && !this.#leaving.has(key) && !this.#changed.has(key)) this.#counts.delete(key);
    }
    this.heard(counts.map(({ topic }) => topic));
  }

  async #look(): Promise<void> {
    const now = performance.now();
    if (this.#allStale || now - this.#lookedAt > BACKSTOP) {
      for (const topic of this.#listeners.keys()) this.#stale.add(topic);
      this.#lookedAt = now;
      this.#allStale = false;
    }
    for (const topic of this.#newcomers.keys()) this.#stale.add(topic);
    if (this.#stale.size === 0) return;
    const topics = this.#stale;
    const newcomers = this.#newcomers;
    this.#stale = new Set();
    this.#newcomers = new Map();
    let users: Map<string, string[]>;
    try {
      users = await this.#options.store.usersOf([...topics]);
    } catch (err) {
      for (const topic of topics) this.#stale.add(topic);
      for (const [topic, clients] of newcomers) {
        this.#newcomers.set(topic, new Set([...clients, ...(this.#newcomers.get(topic) ?? [])]));
      }
      throw err;
    }
    for (const [topic, present] of users) this.#say(topic, present, newcomers.get(topic));
  }

  #say(topic: string, present: readonly string[], newcomers: ReadonlySet<Client> | undefined): void {
    if (!this.#listeners.has(topic)) return;
    const before = this.#known.get(topic);
    const now = new Set(present);
    this.#known.set(topic, now);
    const count = now.size;
    if (before) {
      const joined = present.filter((user) => !before.has(user));
      const left = [...before].filter((user) => !now.has(user));
      if (joined.length > 0 || left.length > 0) {
        const named = joined.length + left.length <= MAX_NAMED ? { joined, left } : {};
        // Those who were told a number only do not know who stays.
        const whole = before.size > MAX_NAMED && count <= MAX_NAMED ? { users: present } : {};
        const frame = presenceFrame({ topic, ...whole, ...named, count });
        this.#options.hub.tell(topicAudience(topic), frame, newcomers);
      }
    }
    if (!newcomers) return;
    const frame = presenceFrame({ topic, users: count <= MAX_NAMED ? present : undefined, count });
    const audience = topicAudience(topic);
    // Some may have lost the topic while it was read.
    for (const client of newcomers) if (!client.closed && client.audiences.has(audience)) client.write(frame);
  }

  /** Tells nothing more: the instance's rows go with it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
