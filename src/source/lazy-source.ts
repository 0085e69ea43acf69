import type { Acknowledgement } from '../activity/acknowledger.js';
import type { Step } from '../activity/counter.js';
import type { PresenceStore } from '../clients/topics/presence.js';
import type { TopicStore } from '../clients/topics/topic-store.js';
import type { Audience } from '../event/audience.js';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Item } from '../event/item.js';
import type { Finding } from '../instance/finding.js';
import type { Reading } from '../instance/series.js';
import { DjrError } from '../lib/errors.js';
import type { Meter } from '../lib/meter.js';
import type { Downstream } from '../stream/downstream.js';
import type { Need, Recent } from '../stream/resume/backlog.js';
import type { ResumeProgress, StoredEvents } from '../stream/resume/source.js';
import type { Source, StartFailure } from './source.js';

/** A source whose code is loaded when it is started, so that an app without a relay loads none of the relay's code. */
export class LazySource implements Source {
  readonly topics: TopicStore;
  readonly presence: PresenceStore;
  readonly #load: () => Promise<Source>;
  #loaded: Source | undefined;
  #meter: Meter | undefined;

  constructor(load: () => Promise<Source>) {
    this.#load = load;
    this.topics = {
      permissions: () => this.#source.topics.permissions(),
      authorize: (questions, milliseconds) => this.#source.topics.authorize(questions, milliseconds),
    };
    this.presence = {
      report: (counts, afresh) => this.#source.presence.report(counts, afresh),
      usersOf: (topics) => this.#source.presence.usersOf(topics),
    };
  }

  get #source(): Source {
    if (!this.#loaded) throw new DjrError('DJR_STOPPED', 'This realtime is not started.');
    return this.#loaded;
  }

  async start(downstream: Downstream, stopping: AbortSignal): Promise<void> {
    if (!this.#loaded) {
      this.#loaded = await this.#load();
      if (this.#meter) this.#loaded.metrics(this.#meter);
    }
    await this.#loaded.start(downstream, stopping);
  }

  async stop(): Promise<void> {
    await this.#loaded?.stop();
  }

  async close(): Promise<void> {
    await this.#loaded?.close();
  }

  explain(error: unknown): StartFailure {
    if (this.#loaded) return this.#loaded.explain(error);
    const message = error instanceof Error ? error.message : String(error);
    return { message, told: 'the relay cannot be reached', check: 'relay' };
  }

  get failure(): unknown {
    return this.#loaded?.failure;
  }

  get delivering(): boolean {
    return this.#loaded?.delivering ?? false;
  }

  get garbage(): number {
    return this.#loaded?.garbage ?? 0;
  }

  get order(): string {
    return this.#source.order;
  }

  get epoch(): string {
    return this.#source.epoch;
  }

  get reached(): Frontier {
    return this.#source.reached;
  }

  get position(): string {
    return this.#source.position;
  }

  get time(): number {
    return this.#loaded?.time ?? 0;
  }

  next(envelope: Envelope): Item {
    return this.#source.next(envelope);
  }

  catchUp(): Promise<void> {
    return this.#source.catchUp();
  }

  async interest(audiences: Iterable<Audience>): Promise<() => void> {
    return (await this.#source.interest?.(audiences)) ?? (() => {});
  }

  readSince(...asked: Parameters<StoredEvents['readSince']>): Promise<ResumeProgress | { reset: string }> {
    return this.#source.readSince(...asked);
  }

  readRecent(need: Need): Promise<Recent> {
    return this.#source.readRecent(need);
  }

  acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<boolean[]> {
    return this.#source.acknowledge(acknowledgements);
  }

  record(steps: readonly Step[]): Promise<number> {
    return this.#source.record(steps);
  }

  ping(): Promise<number | null> {
    return this.#source.ping();
  }

  get unanswered(): string {
    return this.#source.unanswered;
  }

  get hasConsumers(): boolean {
    return this.#loaded?.hasConsumers ?? false;
  }

  report(reading: Reading): Promise<void> {
    return this.#source.report(reading);
  }

  withdraw(): Promise<void> {
    return this.#source.withdraw();
  }

  findings(): Finding[] {
    return this.#loaded?.findings() ?? [];
  }

  metrics(meter: Meter): void {
    this.#meter = meter;
    this.#loaded?.metrics(meter);
  }
}
