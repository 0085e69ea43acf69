import type { Client } from '../../clients/client.js';
import type { Connection } from '../../clients/connection.js';
import type { StreamStart } from '../endpoint.js';
import type { Place } from '../guards/admission.js';
import type { Admitted } from '../guards/entrance.js';
import type { Incoming } from '../incoming.js';
import type { StreamQuery } from '../stream-query.js';

/** What a stream needs to begin. */
export interface Accepted extends Admitted {
  incoming: Incoming;
  query: StreamQuery;
  lastEventId: string;
  place: Place;
  /** Ends that the source brings events of this client; undefined where every event comes anyway. */
  interest: (() => void) | undefined;
}

/** Begins a stream. @returns undefined when the stream ended at once */
type Begin = (connection: Connection, accepted: Accepted) => Client | undefined;

/** A stream that may begin. It lives for hours, so memory is saved: it is a class, whose methods all streams share, and it forgets the request once it has begun. */
export class AcceptedStream implements StreamStart {
  readonly headers: Record<string, string>;
  readonly #place: Place;
  readonly #begin: Begin;
  readonly #interest: (() => void) | undefined;
  #waiting: Accepted | undefined;
  #client: Client | undefined;

  constructor(headers: Record<string, string>, accepted: Accepted, begin: Begin) {
    this.headers = headers;
    this.#place = accepted.place;
    this.#interest = accepted.interest;
    this.#waiting = accepted;
    this.#begin = begin;
  }

  begin(connection: Connection): Client | undefined {
    const accepted = this.#waiting;
    this.#waiting = undefined;
    if (accepted) this.#client = this.#begin(connection, accepted);
    return this.#client;
  }

  gone(): void {
    this.#client?.close('client');
    this.#interest?.();
    this.#place.leave();
  }
}
