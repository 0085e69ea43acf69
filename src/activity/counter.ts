import type { Envelope } from '../event/envelope.js';

/** How much is recorded of each event: nothing; one row; a row for each user as well. */
export type ActivityLevel = 'off' | 'summary' | 'full';

/** What became of an event. */
export type StepStatus = 'dispatched' | 'sent' | 'error';

/** One step of one event, summed up since the last {@link ActivityCounter.take}. */
export interface Step {
  readonly event: number;
  readonly status: StepStatus;
  /** For a user event its user; with `full` the user of the clients, null for all anonymous ones together. */
  readonly userId: string | null;
  /** For `sent` the number of clients. For `error` the number of clients for whom `beforeSend` failed; null if `onReceive` failed. */
  readonly recipients: number | null;
}

interface Count {
  sent: number;
  errors: number;
}

/** The counts of one event. Its own count is for clients whose user is not recorded. */
interface Entry extends Count {
  readonly userId: string | null;
  dispatched: boolean;
  receiveFailed: boolean;
  users: Map<string | null, Count> | undefined;
}

/**
 * Counts what becomes of each event, until the writer takes the counts. Delivery costs one addition for each event and turn, and nothing
 * for each client. It is bounded: steps without room are dropped, and their number is counted.
 */
export class ActivityCounter {
  /** The setting `activity`. It may change at any time; earlier counts stay. */
  level: ActivityLevel = 'off';
  /** How many steps were dropped for lack of room. */
  dropped = 0;
  readonly #max: number;
  readonly #entries = new Map<number, Entry>();
  #size = 0;

  /** @param max - events (with `full` also users of events) that may wait to be taken */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many events, and users of events, wait to be taken. */
  get size(): number {
    return this.#size;
  }

  /** The event was passed to subscribers and to the hub. */
  dispatched(envelope: Envelope): void {
    const entry = this.#entry(envelope);
    if (entry) entry.dispatched = true;
  }

  /** The event was written to so many clients. @param userId - their user, which counts with `full` only */
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

  /** Takes out the steps of the oldest events: `count` of them or a few more, as the steps of one event stay together. */
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
    // An event that was sent was dispatched as well; only the level `full` has a row for that.
    const sent = steps.slice(before).some(({ status }) => status === 'sent');
    if (dispatched && (!sent || this.level === 'full')) {
      steps.splice(before, 0, { event, status: 'dispatched', userId, recipients: null });
    }
  }

  #writeCount(steps: Step[], event: number, userId: string | null, { sent, errors }: Count): void {
    if (errors > 0) steps.push({ event, status: 'error', userId, recipients: errors });
    if (sent > 0) steps.push({ event, status: 'sent', userId, recipients: sent });
  }

  /** The counts of an event; undefined: nothing is recorded of it, or there is no room. An event without a row has no activity. */
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
