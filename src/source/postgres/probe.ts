import { randomBytes } from 'node:crypto';
import { inTime } from '../../lib/deadline.js';
import type { Session } from './session.js';

export interface ProbeOptions {
  /** Sends a NOTIFY from another session. Rejects if it could not be sent, for example because the NOTIFY queue is full. */
  notify(channel: string, payload: string): Promise<void>;
  /** Milliseconds within which the probe must be heard. */
  timeout: number;
}

/** The result of a probe. `deaf`: it was sent and not heard. `unknown`: it could not be sent. `dead`: the connection does not answer. */
export type Heard = 'heard' | 'deaf' | 'unknown' | 'dead';

/**
 * Proves that LISTEN is heard, by a NOTIFY from another session while the listener is idle. A NOTIFY of the listener's own would prove
 * nothing: it comes back within its own statement, even through a pooler in transaction mode.
 */
export class Probe {
  readonly #options: ProbeOptions;
  #waiting: { payload: string; heard: () => void } | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** A message that looks like a probe came. Probes of other instances, or forged ones, are ignored. */
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
    // Ends the wait only if sending failed: after a success the notification is still to be heard.
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

  /** Ends the wait, because the connection is gone and no notification can come any more. */
  end(): void {
    this.#waiting?.heard();
  }
}
