import type { Client } from '../../clients/client.js';
import { disconnectedFrame } from '../../event/frame.js';

/** The longest time that a timer can wait. For a later end the timer is set again. */
const MAX_TIMER = 2 ** 31 - 1;

/** Ends the streams of logins that expire; their pages reconnect with a new login. */
export class Logins {
  readonly #timers = new Map<Client, NodeJS.Timeout>();

  /** @param expires - milliseconds since 1970 */
  watch(client: Client, expires: number): void {
    if (client.closed || expires === Number.POSITIVE_INFINITY) return;
    const end = () => {
      if (expires <= Date.now()) client.close('lifetime', disconnectedFrame('the login has expired'));
      else this.watch(client, expires);
    };
    const wait = Math.min(MAX_TIMER, Math.max(1, expires - Date.now()));
    this.#timers.set(client, setTimeout(end, wait).unref());
  }

  forget(client: Client): void {
    clearTimeout(this.#timers.get(client));
    this.#timers.delete(client);
  }
}
