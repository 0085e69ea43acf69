import { isPromiseLike, within } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logger.js';
import { Semaphore } from '../../lib/semaphore.js';
import { NoAnswerError } from '../../postgres/ask.js';
import type { Answers, Question, TopicStore } from './topic-store.js';

/** Whether a user (null: an anonymous client) may hear a topic. Only `true` means yes. */
export type AuthorizeTopic = (userId: string | null, topic: string) => boolean | Promise<boolean>;

export interface AuthorizerOptions {
  store: TopicStore;
  /** The option of `createRealtime`. It is asked first; if it says no or is not set, the function in the setting `authorize_topic` is asked. */
  authorizeTopic?: AuthorizeTopic | undefined;
  /** Milliseconds that one answer may take. */
  timeout: number;
  logger: Logger;
}

/** Questions in one statement. */
const BATCH = 500;

/** Statements at a time, as others need the pool as well. */
const MAX_RUNNING = 4;

/** Milliseconds for which questions gather beside a statement that runs, as that one may hang. */
const GATHER = 10;

/** Whether a question failed rather than the connection: then each question is asked again by itself. */
const isOfQuestion = (err: unknown): boolean =>
  err instanceof NoAnswerError ||
  (err instanceof Error &&
    'code' in err &&
    typeof err.code === 'string' &&
    /^(?!08|53|57P)[0-9A-Z]{5}$/.test(err.code));

interface Waiting extends Question {
  /** `performance.now()` after which the answer is no. */
  readonly until: number;
  resolve(allowed: boolean): void;
}

/** Asks the app who may hear which topic, in batches: a thousand pages that join at once need a few statements. A question that fails is answered no. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #places = new Semaphore(MAX_RUNNING);
  #waiting: Waiting[] = [];
  #scheduled = false;
  /** Statements for many questions that run. */
  #running = 0;
  /** Ends the gathering of questions. */
  #gathering: NodeJS.Timeout | undefined;
  /** Questions that failed or were not answered in time. */
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

  /**
   * Questions of one turn are asked together. Those that come while a statement runs gather until it is answered, or for
   * {@link GATHER}; those that come while {@link MAX_RUNNING} statements run wait, and are then asked together.
   */
  #schedule(): void {
    if (this.#scheduled) {
      if (this.#waiting.length >= BATCH) this.#endGathering();
      return;
    }
    this.#scheduled = true;
    if (this.#running === 0) setImmediate(() => this.#askNext());
    else this.#gathering = setTimeout(() => this.#endGathering(), GATHER);
  }

  #endGathering(): void {
    if (this.#gathering === undefined) return;
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#askNext();
  }

  #askNext(): void {
    void this.#places.run(async () => {
      this.#scheduled = false;
      this.#running += 1;
      const batch = this.#waiting.splice(0, BATCH);
      if (this.#waiting.length > 0) this.#schedule();
      try {
        await this.#ask(batch);
      } finally {
        this.#running -= 1;
        this.#endGathering();
      }
    });
  }

  /**
   * A question at which the app's function hangs must not cost the others their answer: half of the time is for all questions
   * together, the other half for each by itself.
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
