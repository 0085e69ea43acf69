import { NoAnswerError } from '../database/ask.js';
import type { Logger } from '../logger.js';
import { isPromiseLike, within } from '../within.js';
import type { Question, TopicStore } from './topic-store.js';

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
const MAX_RUNNING = 2;

const isTimeout = (err: unknown): boolean =>
  err instanceof NoAnswerError || (err instanceof Error && 'code' in err && err.code === '57014');

interface Waiting extends Question {
  resolve(allowed: boolean): void;
}

/** Asks the app who may hear what: a thousand pages that join at once are a few statements. Whatever fails is a no. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #waiting: Waiting[] = [];
  #running = 0;
  #scheduled = false;
  /** Answers that could not be had. */
  failures = 0;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  async mayHear(userId: string | null, topic: string): Promise<boolean> {
    if (await this.#askOption(userId, topic)) return true;
    return new Promise((resolve) => {
      this.#waiting.push({ userId, topic, resolve });
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

  /** All that asks in this turn goes together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#running < MAX_RUNNING) void this.#ask(this.#waiting.splice(0, BATCH));
    });
  }

  async #ask(batch: Waiting[]): Promise<void> {
    this.#running += 1;
    try {
      const { allowed, failure } = await this.#options.store.authorize(batch);
      if (failure !== null) this.#failed(new Error(failure));
      for (const [place, { resolve }] of batch.entries()) resolve(allowed[place] === true);
    } catch (err) {
      if (batch.length > 1 && isTimeout(err)) {
        // One question on which the app's function hangs must not cost the others their answer.
        for (const question of batch) await this.#askOne(question);
      } else {
        this.#failed(err);
        for (const { resolve } of batch) resolve(false);
      }
    } finally {
      this.#running -= 1;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  async #askOne({ userId, topic, resolve }: Waiting): Promise<void> {
    try {
      const { allowed, failure } = await this.#options.store.authorize([{ userId, topic }]);
      if (failure !== null) this.#failed(new Error(failure));
      resolve(allowed[0] === true);
    } catch (err) {
      this.#failed(err);
      resolve(false);
    }
  }

  #failed(err: unknown): void {
    this.failures += 1;
    this.#options.logger.error({ err }, 'whether a client may hear a topic could not be decided: it may not');
  }
}
