import type { Envelope } from '../event/envelope.js';

/** How much is told of each event: nothing; one line; a line for each user, too. */
export type ActivityLevel = 'off' | 'summary' | 'full';

/** What became of an event. */
export type StepStatus = 'dispatched' | 'sent' | 'error';

/** One step of one event, counted together over the time since the last {@link ActivityCounter.take}. */
export interface Step {
  readonly event: number;
  readonly status: StepStatus;
  /** Of a user event its user; with `full` that of the clients, null for anonymous ones together. */
  readonly userId: string | null;
  /** Of `sent`: clients. Of `error`: those for whom `beforeSend` failed; null where it was `onReceive`. */
  readonly recipients: number | null;
}

interface Count {
  sent: number;
  errors: number;
}

/** Its own count is of clients whose user is not told. */
interface Entry extends Count {
  readonly userId: string | null;
  dispatched: boolean;
  receiveFailed: boolean;
  users: Map<string | null, Count> | undefined;
}

/**
 * Counts what becomes of each event until somebody takes it: a number for each event and turn, nothing for each client.
 * It is bounded; what finds no place is dropped and counted.
 */
export class ActivityCounter {
  /** May change at any time; what was counted stays. */
  level: ActivityLevel = 'off';
  /** Steps that found no place. */
  dropped = 0;
  readonly #max: number;
  readonly #entries = new Map<number, Entry>();
  #size = 0;

  /** @param max - events (with `full`, also users of events) that may wait to be taken. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Events, and users of events, that wait to be taken. */
  get size(): number {
    return this.#size;
  }

  /** It goes to subscribers and to the hub. */
  dispatched(envelope: Envelope): void {
    const entry = this.#entry(envelope);
    if (entry) entry.dispatched = true;
  }

  /** It was written to so many clients. @param userId - theirs; looked at with `full` only */
  sent(envelope: Envelope, userId: string | null, clients: number): void {
    const count = this.#count(envelope, userId);
    if (count) count.sent += clients;
  }

  /** `onReceive` failed. */
  receiveFailed(envelope: Envelope): void {
    const entry = this.#entry(envelope);
    if (entry) entry.receiveFailed = true;
  }

  /** `beforeSend` failed for a client of this user. */
  sendFailed(envelope: Envelope, userId: string | null): void {
    const count = this.#count(envelope, userId);
    if (count) count.errors += 1;
  }

  /** Takes out the steps of the oldest events: `count` of them or some more, as those of one event stay together. */
  take(count: number): Step[] {
    const steps: Step[] = [];
    for (const [event, entry] of this.#entries) {
      if (steps.length >= count) break;
      this.#entries.delete(event);
      this.#size -= 1 + (entry.users?.size ?? 0);
      this.#write(steps, event, entry);
    }
    return steps;
  }

  #write(steps: Step[], event: number, entry: Entry): void {
    const { userId, dispatched, receiveFailed, users } = entry;
    if (receiveFailed) steps.push({ event, status: 'error', userId, recipients: null });
    const before = steps.length;
    this.#writeCount(steps, event, userId, entry);
    if (users) for (const [user, count] of users) this.#writeCount(steps, event, user, count);
    // What was sent was dispatched: a line of its own says so only at the level `full`.
    const sent = steps.slice(before).some(({ status }) => status === 'sent');
    if (dispatched && (!sent || this.level === 'full')) {
      steps.splice(before, 0, { event, status: 'dispatched', userId, recipients: null });
    }
  }

  #writeCount(steps: Step[], event: number, userId: string | null, { sent, errors }: Count): void {
    if (errors > 0) steps.push({ event, status: 'error', userId, recipients: errors });
    if (sent > 0) steps.push({ event, status: 'sent', userId, recipients: sent });
  }

  /** undefined: nothing is told of it, or there is no place. An event that is not stored has no activity. */
  #entry({ id, xid, userId }: Envelope): Entry | undefined {
    if (this.level === 'off' || xid === null) return undefined;
    let entry = this.#entries.get(id);
    if (entry) return entry;
    if (this.#size >= this.#max) {
      this.dropped += 1;
      return undefined;
    }
    entry = { userId, dispatched: false, receiveFailed: false, sent: 0, errors: 0, users: undefined };
    this.#entries.set(id, entry);
    this.#size += 1;
    return entry;
  }

  #count(envelope: Envelope, userId: string | null): Count | undefined {
    const entry = this.#entry(envelope);
    if (!entry || this.level !== 'full') return entry;
    entry.users ??= new Map();
    let user = entry.users.get(userId);
    if (user) return user;
    if (this.#size >= this.#max) {
      this.dropped += 1;
      return entry;
    }
    user = { sent: 0, errors: 0 };
    entry.users.set(userId, user);
    this.#size += 1;
    return user;
  }
}
