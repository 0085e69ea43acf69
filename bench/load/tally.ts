import { now } from '../clock.js';
import type { Batch } from './frames.js';
import { newHistogram, pack, record } from './histogram.js';

export interface Expectation {
  /** Events of this run, warm-up included. */
  events: number;
  /** Number of the first of them: those before it were another run's. @defaultValue 0 */
  from?: number;
  /** So many of the first warm up: they must arrive, and their delay is not recorded. */
  warmup: number;
  /** Whether event n is for client n modulo the clients, and nobody else. */
  toUsers?: boolean;
  /** Event n is for the clients of topic n modulo these, among which they are dealt out, and for nobody else. */
  topics?: number;
  /** Clients that will be there, where they connect only after this. @defaultValue those that are */
  clients?: number;
}

export interface Received {
  deliveries: number;
  missing: number;
  /** Beyond the first of each. */
  repeated: number;
  /** Another user's event: the worst bug there is. */
  foreign: number;
  /** Connections that the server closed. */
  closed: number;
  /** Packed histogram of the delays in microseconds, from the intended publish to the frame read. */
  delays: string;
  /** Moments on the machine's clock. */
  first: number;
  last: number;
  bytes: number;
  /** Deliveries in each 100 ms since the first. */
  timeline: number[];
}

const TICK = 100_000;

/** What all streams of this process have got in the current run. */
export class Tally {
  delays = newHistogram();
  deliveries = 0;
  repeated = 0;
  foreign = 0;
  closed = 0;
  bytes = 0;
  first = 0;
  last = 0;
  timeline: number[] = [];
  expected = 0;
  private seen = new Uint8Array(0);
  private readonly clients: number;
  private readonly expectation: Expectation;

  constructor(clients: number, expectation: Expectation) {
    this.clients = clients;
    this.expectation = expectation;
    this.expectEvents(expectation.events);
  }

  /** A run that ends by time learns how many there were when it has ended. */
  expectEvents(events: number): void {
    this.expectation.events = events;
    const { toUsers, topics = 1 } = this.expectation;
    this.expected = toUsers ? events : (events * this.clients) / topics;
    const size = toUsers ? events : events * this.clients;
    if (size > this.seen.length) {
      const grown = new Uint8Array(size);
      grown.set(this.seen);
      this.seen = grown;
    }
  }

  add(index: number, batch: Batch): void {
    const moment = now();
    const { from = 0, topics = 1, toUsers, warmup } = this.expectation;
    if (this.first === 0) this.first = moment;
    this.last = moment;
    for (let i = 0; i < batch.length; i += 1) {
      const number = batch.n[i]!;
      const n = number - from;
      if (toUsers ? number % this.clients !== index : number % topics !== index % topics) {
        this.foreign += 1;
        continue;
      }
      const at = toUsers ? n : n * this.clients + index;
      if (at < 0) {
        this.repeated += 1;
        continue;
      }
      if (at >= this.seen.length) this.expectEvents(Math.max(n + 1, this.expectation.events * 2));
      if (this.seen[at] === 1) {
        this.repeated += 1;
        continue;
      }
      this.seen[at] = 1;
      this.deliveries += 1;
      if (n >= warmup) record(this.delays, moment - batch.t[i]!);
    }
    const tick = Math.floor((moment - this.first) / TICK);
    this.timeline[tick] = (this.timeline[tick] ?? 0) + batch.length;
  }

  report(): Received {
    return {
      deliveries: this.deliveries,
      missing: this.expected - this.deliveries,
      repeated: this.repeated,
      foreign: this.foreign,
      closed: this.closed,
      delays: pack(this.delays),
      first: this.first,
      last: this.last,
      bytes: this.bytes,
      timeline: Array.from(this.timeline, (count) => count ?? 0),
    };
  }
}
