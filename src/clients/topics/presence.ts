import { topicAudience, topicOf } from '../../event/audience.js';
import { presenceFrame } from '../../event/frame.js';
import type { Logger } from '../../lib/logger.js';
import { OnceLogger } from '../../lib/once-logger.js';
import { Periodic } from '../../lib/periodic.js';
import type { Client } from '../client.js';
import type { Hub } from '../hub.js';

/** How many streams of a user an instance has for a topic; empty topic: of any kind. */
export interface PresenceCount {
  readonly topic: string;
  readonly userId: string;
  readonly streams: number;
}

export interface PresenceStore {
  /** Writes the counts. @param afresh - first deletes what this instance wrote before */
  report(counts: readonly PresenceCount[], afresh: boolean): Promise<void>;
  /** The users who hear each of these topics, on any instance. */
  usersOf(topics: readonly string[]): Promise<Map<string, string[]>>;
}

export interface PresenceOptions {
  store: PresenceStore;
  hub: Hub;
  logger: Logger;
  /** Milliseconds that a user without a stream still counts as present, longer than a page takes to reload. */
  grace: number;
}

/** Milliseconds between two batches: a thousand joins in a second make a handful of statements and frames. */
const PERIOD = 500;

/** Milliseconds after which all topics are read again, even if no message named them. */
const BACKSTOP = 15_000;

/** A frame names up to so many users; for more it has only their number. */
const MAX_NAMED = 200;

/** In place of a topic: any stream of a user, whatever it hears. */
const ANY = '';

const keyOf = (topic: string, userId: string): string => `${topic}\n${userId}`;

/** Keeps which users hear which topics: counts the streams of this instance, writes the counts to the database, and tells clients what changed on any instance. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #onceLog: OnceLogger;
  readonly #counts = new Map<string, { readonly topic: string; readonly userId: string; streams: number }>();
  /** Keys of the counts that must be written to the database. */
  #changed = new Set<string>();
  /** Keys of users who have no stream any more, and when they count as gone; the next one is first, as all wait equally long. */
  readonly #leaving = new Map<string, number>();
  /** The users of each topic, as this instance's clients were last told. */
  readonly #known = new Map<string, Set<string>>();
  /** How many clients of this instance hear each topic. */
  readonly #listeners = new Map<string, number>();
  /** Topics whose users must be read again. */
  #stale = new Set<string>();
  /** Whether all topics must be read again: more changed than a message names. */
  #allStale = true;
  /** Clients that must be told all users of a topic, by topic. */
  #newcomers = new Map<string, Set<Client>>();
  #afresh = true;
  #lookedAt = 0;
  readonly #turns = new Periodic({ period: PERIOD, round: () => this.#turn() });

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
  }

  start(): void {
    this.#turns.start();
  }

  /** Users with a stream on this instance, including those who lost theirs a moment ago. */
  get users(): number {
    let users = 0;
    for (const { topic } of this.#counts.values()) if (topic === ANY) users += 1;
    return users;
  }

  /** The database may have lost what this instance wrote: everything is written and read again. */
  resync(): void {
    this.#afresh = true;
    this.#allStale = true;
  }

  /** An instance has written changes to the database. @param topics - the topics that changed; null: too many to be named */
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
      // The user is back before it counted as gone, so there is nothing to write.
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

  /** Users who have had no stream for the grace period have left. */
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
        // A user in the grace period still counts as present.
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
        // If clients were told only a number before, they get the whole list.
        const whole = before.size > MAX_NAMED && count <= MAX_NAMED ? { users: present } : {};
        const frame = presenceFrame({ topic, ...whole, ...named, count });
        this.#options.hub.tell(topicAudience(topic), frame, newcomers);
      }
    }
    if (!newcomers) return;
    const frame = presenceFrame({ topic, users: count <= MAX_NAMED ? present : undefined, count });
    const audience = topicAudience(topic);
    // Some clients may have lost the topic while its users were read.
    for (const client of newcomers) if (!client.closed && client.audiences.has(audience)) client.write(frame);
  }

  /** Stops without deleting the rows: they go with the instance's row. */
  stop(): Promise<void> {
    return this.#turns.stop();
  }
}
