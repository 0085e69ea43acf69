import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { type Log, type LogMessage, type LogState, RefusedError } from '../../src/relay/log.js';
import type { Mark } from '../../src/relay/ring.js';
import type { Copy } from '../../src/relay/way.js';

/** Transactions and what is visible of them, as PostgreSQL has it: some commit late. */
export class FakeDatabase {
  /** Which history of the database it is: another one where it was replaced or restored. */
  epoch = 'epoch001';
  /** The setting of that name. */
  storage = true;
  readonly marks: Mark[] = [];
  readonly committed: Envelope[] = [];
  readonly #open = new Map<number, readonly Envelope[]>();
  #next = 1;
  #time = 1_000_000;

  /** A transaction publishes an event for each of these and stays open. */
  publish(...audiences: string[]): void {
    const xid = 100 + this.#next;
    const envelopes = (audiences.length > 0 ? audiences : ['public']).map((audience) => {
      const id = this.#next;
      this.#next += 1;
      this.#time += 1;
      const user = audience === 'public' ? null : audience;
      const scope = audience === 'public' ? 'public' : 'user';
      return new Envelope(id, xid, scope, user, 'tick', this.#time, `{"id": ${id}}`);
    });
    this.#open.set(xid, envelopes);
  }

  /** One of the open transactions commits. */
  commit(which: number): void {
    const open = [...this.#open.values()];
    const envelopes = open[which % Math.max(1, open.length)];
    if (!envelopes) return;
    this.#open.delete(envelopes[0]!.xid!);
    this.committed.push(...envelopes);
  }

  commitAll(): void {
    while (this.#open.size > 0) this.commit(0);
  }

  snapshot(): Frontier {
    this.#time += 1;
    const inProgress = [...this.#open.keys()].sort((a, b) => a - b);
    const xmax = 100 + this.#next;
    return new Frontier(this.epoch, this.#time, inProgress[0] ?? xmax, xmax, inProgress);
  }
}

interface Pending {
  readonly owner: number;
  readonly subject: string;
  readonly text: string;
  readonly last: number;
  readonly earlier: string | undefined;
  readonly done: (error: unknown, sequence: number) => void;
}

/** Whether a subject fits a pattern with `*` for one token. */
export const matches = (subject: string, pattern: string): boolean => {
  const [tokens, wanted] = [subject.split('.'), pattern.split('.')];
  return tokens.length === wanted.length && wanted.every((token, i) => token === '*' || token === tokens[i]);
};

/** Messages that are too young to expire. */
const YOUNG = 10;

/** The engine: appends wait until the test lets it take them, and it loses what the test tells it to lose. */
export class FakeLog {
  messages: LogMessage[] = [];
  /** Sequences go on when what is old has expired. */
  last = 0;
  pending: Pending[] = [];
  readonly #listeners = new Set<(copy: Copy) => void>();

  follow(onMessage: (copy: Copy) => void): () => void {
    this.#listeners.add(onMessage);
    return () => this.#listeners.delete(onMessage);
  }

  /** @param answered - false: the answer is lost on the way */
  take(answered = true): void {
    const append = this.pending.shift();
    if (!append) return;
    const { done, earlier, last, subject, text } = append;
    if (last !== this.last) {
      if (answered) done(new RefusedError(`wrong last sequence: ${this.last}`), 0);
      else done(new Error('no answer'), 0);
      return;
    }
    this.last += 1;
    const message = { sequence: this.last, subject, text };
    const before = this.messages.findLast((one) => one.subject === subject)?.sequence ?? 0;
    this.messages.push(message);
    for (const listener of this.#listeners) listener({ ...message, before, earlier });
    if (answered) done(undefined, message.sequence);
    else done(new Error('no answer'), 0);
  }

  /** The next append never arrives. */
  drop(): void {
    this.pending.shift()?.done(new Error('no answer'), 0);
  }

  /** Somebody who knows nothing of the chain appends a message. */
  intrude(subject: string, text: string): void {
    this.pending.unshift({ owner: -2, subject, text, last: this.last, earlier: undefined, done() {} });
    this.take();
  }

  /** The newest are gone, though they were acknowledged. */
  lose(count: number): void {
    this.last -= this.messages.splice(Math.max(0, this.messages.length - count)).length;
  }

  /**
   * The oldest are gone, as they are too old. What somebody may still wait for an answer to, and the newest checkpoint of a writer that lives,
   * are younger than any age that may be set.
   */
  expire(count: number): void {
    const newest = this.messages.findLastIndex(({ subject }) => /\.(c\.[^.]+|t)$/.test(subject));
    this.messages.splice(0, Math.max(0, Math.min(count, newest, this.messages.length - YOUNG)));
  }

  /** It was killed, and what it had stored is gone, and so is what was on its way: the client of NATS drops that with its connection. */
  wipe(): void {
    this.messages = [];
    this.last = 0;
    for (const { done } of this.pending.splice(0)) done(new Error('no answer'), 0);
  }

  view(owner: number): Log {
    const state = async (): Promise<LogState> => ({
      first: this.messages[0]?.sequence ?? this.last + 1,
      last: this.last,
    });
    return {
      append: (subject, text, last, done, earlier) => this.pending.push({ owner, subject, text, last, earlier, done }),
      state,
      prepare: async () => {},
      newest: async (subject) => this.messages.findLast((message) => matches(message.subject, subject)),
      read: async (sequence) => this.messages[sequence - (this.messages[0]?.sequence ?? 0)],
    };
  }
}
