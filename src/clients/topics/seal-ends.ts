import type { Audience } from '../../event/audience.js';
import type { AudienceSet } from '../../event/audience-set.js';
import type { Client } from '../client.js';

/** Milliseconds between two checks of which seals have ended. */
const EXPIRY = 500;

/** When each permission of a client ends. */
interface Ends {
  /** The audiences with which its stream began. */
  readonly audiences: AudienceSet;
  /** `performance.now()` at which the permission for each of these audiences ends, in their order; Infinity: only when it is revoked. */
  readonly at: number[];
  next: number;
}

/** Notices when the seals of clients end. */
export class SealEnds {
  readonly #onEnd: (client: Client, audience: Audience) => void;
  readonly #clients = new Map<Client, Ends>();
  #timer: NodeJS.Timeout | undefined;

  constructor(onEnd: (client: Client, audience: Audience) => void) {
    this.#onEnd = onEnd;
  }

  /** @param endOf - `performance.now()` from which the client may no longer hear an audience; Infinity: only when it is revoked */
  watch(client: Client, endOf: (audience: Audience) => number): void {
    const { audiences } = client;
    const at = [...audiences].map(endOf);
    const next = Math.min(...at);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#clients.set(client, { audiences, at, next });
    this.#timer ??= setInterval(() => this.#look(), EXPIRY).unref();
  }

  forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const [client, ends] of this.#clients) {
      if (ends.next > now) continue;
      const ended = [...ends.audiences].filter((_, place) => ends.at[place]! <= now);
      for (const [place, at] of ends.at.entries()) if (at <= now) ends.at[place] = Number.POSITIVE_INFINITY;
      ends.next = Math.min(...ends.at);
      if (ends.next === Number.POSITIVE_INFINITY) this.forget(client);
      for (const audience of ended) this.#onEnd(client, audience);
    }
  }
}
