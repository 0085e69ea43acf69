import { randomBytes } from 'node:crypto';
import { inTime } from '../../lib/deadline.js';
import type { Session } from './session.js';

export interface ProbeOptions {
  /** Sends a NOTIFY from another session. Rejects where it could not be sent, as while PostgreSQL's queue is full. */
  notify(channel: string, payload: string): Promise<void>;
  /** Milliseconds within which it must be heard. */
  timeout: number;
}

/** What a probe found: heard; not heard; not sent, which says nothing; or no answer from the connection at all. */
export type Heard = 'heard' | 'deaf' | 'unknown' | 'dead';

/**
 * A NOTIFY from another session while the listener is idle: the only proof that LISTEN is heard. A NOTIFY of its own comes
 * back within its own statement, through a pooler in transaction mode, too.
 */
export class Probe {
  readonly #options: ProbeOptions;
  #waiting: { payload: string; heard: () => void } | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** A message on the channel that looks like a probe; another one's, or a forged one, says nothing. */
  onMessage(payload: string): void {
    if (payload === this.#waiting?.payload) this.#waiting.heard();
  }

  async run(session: Session, channel: string): Promise<Heard> {
    const { notify, timeout } = this.#options;
    const payload = JSON.stringify({ probe: randomBytes(8).toString('hex') });
    const heard = new Promise<boolean>((resolve) => {
      this.#waiting = { payload, heard: () => resolve(true) };
    });
    const sent = notify(channel, payload).then(
      () => true,
      () => false,
    );
    // Whether it was sent need not be known where it was heard.
    const unsent = sent.then((ok) => (ok ? new Promise<boolean>(() => {}) : false));
    const came = await inTime(Promise.race([heard, unsent]), timeout);
    const isSent = came === true || (await inTime(sent, 0)) === true;
    this.#waiting = undefined;
    if (came === true) return 'heard';
    const alive = session.query('select 1', timeout).then(
      () => true,
      () => false,
    );
    if (!(await alive)) return 'dead';
    return isSent ? 'deaf' : 'unknown';
  }

  /** The connection is gone: nobody need wait for what cannot come any more. */
  end(): void {
    this.#waiting?.heard();
  }
}
