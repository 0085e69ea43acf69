import { isPromiseLike, within } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logger.js';
import { Semaphore } from '../../lib/semaphore.js';
import { NoAnswerError } from '../../postgres/ask.js';
import type { Answers, Question, TopicStore } from './topic-store.js';

/** Whether a user (null: an anonymous client) may hear a topic; anything but true is no. */
export type AuthorizeTopic = (userId: string | null, topic: string) => boolean | Promise<boolean>;

export interface AuthorizerOptions {
  store: TopicStore;
  /** The option of `createRealtime`; asked first, and the setting `authorize_topic` where it says no or is not there. */
  authorizeTopic?: AuthorizeTopic | undefined;
  /** Milliseconds that one answer may take. */
  timeout: number;
  logger: Logger;
}

/** Questions that one statement asks. */
const BATCH = 500;

/** Statements at a time: the pool is for others, too. */
const MAX_RUNNING = 4;

/** Whether it was one of the questions that failed, and not the connection: then each is asked by itself. */
const isOfQuestion = (err: unknown): boolean =>
  err instanceof NoAnswerError ||
  (err instanceof Error &&
    'code' in err &&
    typeof err.code === 'string' &&
    /^(?!08|53|57P)[0-9A-Z]{5}$/.test(err.code));

interface Waiting extends Question {
  /** `performance.now()` after which it is a no. */
  readonly until: number;
  resolve(allowed: boolean): void;
}

/** Asks the app who may hear what: a thousand pages that join at once are a few statements. Whatever fails is a no. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #places = new Semaphore(MAX_RUNNING);
  #waiting: Waiting[] = [];
  #scheduled = false;
  /** Answers that could not be had. */
  failures = 0;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  async mayHear(userId: string | null, topic: string): Promise<boolean> {
    if (await this.#askOption(userId, topic)) return true;
    return new Promise((resolve) => {
      this.#waiting.push({ userId, topic, until: performance.now() + this.#options.timeout, resolve });
      this.#schedule();
    });
  }

  async #askOption(userId: string | null, topic: string): Promise<boolean> {
    const { authorizeTopic, timeout } = this.#options;
    if (!authorizeTopic) return false;
    try {
      const answer: unknown = authorizeTopic(userId, topic);
      return (isPromiseLike(answer) ? await within(timeout, answer) : answer) === true;
    } catch (err) {
      this.#failed(err);
      return false;
    }
  }

  /** All that asks in this turn goes together; what comes while all places are taken waits, and goes together then. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      void this.#places.run(async () => {
        this.#scheduled = false;
        const batch = this.#waiting.splice(0, BATCH);
        if (this.#waiting.length > 0) this.#schedule();
        await this.#ask(batch);
      });
    });
  }

  /**
   * One question at which the app's function hangs must not cost the others their answer: half of the time is for all
   * together, and half for each by itself.
   */
  async #ask(batch: Waiting[]): Promise<void> {
    try {
      this.#answer(batch, await this.#options.store.authorize(batch, this.#options.timeout / 2));
    } catch (err) {
      if (batch.length > 1 && isOfQuestion(err)) this.#askEach(batch);
      else this.#refuse(batch, err);
    }
  }

  #askEach(batch: Waiting[]): void {
    for (const question of batch) {
      void this.#places.run(async () => {
        const left = question.until - performance.now();
        try {
          if (left <= 0) throw new NoAnswerError(this.#options.timeout);
          this.#answer([question], await this.#options.store.authorize([question], left));
        } catch (err) {
          this.#refuse([question], err);
        }
      });
    }
  }

  #answer(batch: Waiting[], { allowed, failure }: Answers): void {
    if (failure !== null) this.#failed(new Error(failure));
    for (const [place, { resolve }] of batch.entries()) resolve(allowed[place] === true);
  }

  #refuse(batch: Waiting[], err: unknown): void {
    this.#failed(err);
    for (const { resolve } of batch) resolve(false);
  }

  #failed(err: unknown): void {
    this.failures += 1;
    this.#options.logger.error({ err }, 'whether a client may hear a topic could not be decided: it may not');
  }
}
