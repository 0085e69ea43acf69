import { connect, type Socket } from 'node:net';
import { now } from '../clock.js';
import { Batch, FrameReader, READ_BYTES } from './frames.js';
import { newHistogram, pack, record } from './histogram.js';

export interface ConnectOptions {
  port: number;
  /** Path and query; `USER` in it is replaced with the client's number, `ROOM` with that of its topic. */
  path: string;
  /** Topics among which the clients are dealt out. @defaultValue 1 */
  topics?: number;
  clients: number;
  /** What the server speaks. @defaultValue `sse` */
  protocol?: 'sse' | 'socket.io';
  /** Sent as header, for a resume. */
  lastEventId?: string;
  /** Connections being opened at once. @defaultValue 100 */
  parallel?: number;
}

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

export interface Readers {
  /** Opens the streams; resolves when the first bytes of each are there, with the seconds that it took. */
  connect(options: ConnectOptions): Promise<{ seconds: number; lastOpened: number }>;
  /** From now on events are counted and checked. */
  expect(expectation: Expectation): Promise<void>;
  /** Waits until everything expected is there, or nothing has come for `patience` milliseconds. */
  received(options: { patience: number; events?: number }): Promise<Received>;
  /** Opens one stream, waits for its first id, closes it: where a client would resume from. */
  position(options: { port: number; path: string }): Promise<string>;
  close(argument: null): Promise<void>;
}

export interface Stream {
  index: number;
  destroy(): void;
}

const TICK = 100_000;

/** What all streams of this process have got in the current run. */
class Tally {
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

export function play(): Readers {
  let streams: Stream[] = [];
  let tally = new Tally(0, { events: 0, warmup: 0 });
  let closing = false;
  // One buffer for all sockets: each read is worked off before the next begins.
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const batch = new Batch();

  const onBatch = (index: number, bytes: number) => {
    tally.bytes += bytes;
    if (batch.length > 0) tally.add(index, batch);
    batch.length = 0;
  };
  const onClose = () => {
    if (!closing) tally.closed += 1;
  };

  const openSse = ({ port, path, lastEventId, topics = 1 }: ConnectOptions, index: number): Promise<Stream> =>
    new Promise((resolve, reject) => {
      const reader = new FrameReader();
      let open = false;
      const socket: Socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer,
          callback(length, bytes) {
            reader.read((bytes as Buffer).subarray(0, length), batch);
            if (open) onBatch(index, length);
            else if (reader.begun) {
              open = true;
              if (reader.status === 200) resolve({ index, destroy: () => socket.destroy() });
              else reject(new Error(`The stream was refused with ${reader.status}.`));
              onBatch(index, length);
            }
            return true;
          },
        },
      });
      socket.once('error', reject);
      socket.once('close', () => (open ? onClose() : reject(new Error('The stream was closed before it began.'))));
      const resume = lastEventId ? `Last-Event-ID: ${lastEventId}\r\n` : '';
      const target = path.replace('USER', String(index)).replace('ROOM', String(index % topics));
      socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${resume}\r\n`);
    });

  return {
    async connect(options) {
      const started = now();
      let index = streams.length;
      const until = index + options.clients;
      const opened: Stream[] = [];
      closing = false;
      const worker = async () => {
        while (index < until) {
          const mine = index++;
          opened.push(
            options.protocol === 'socket.io'
              ? // Only the checkout has the peers and what speaks to them.
                await (await import('./web-socket.js')).connectWebSocket(
                  options.port,
                  options.path.replace('ROOM', String(mine % (options.topics ?? 1))),
                  mine,
                  batch,
                  onBatch,
                  onClose,
                )
              : await openSse(options, mine),
          );
        }
      };
      await Promise.all(Array.from({ length: options.parallel ?? 100 }, worker));
      streams = streams.concat(opened);
      return { seconds: (now() - started) / 1e6, lastOpened: now() };
    },

    async expect(expectation) {
      global.gc?.();
      tally = new Tally(expectation.clients ?? streams.length, { ...expectation });
    },

    async received({ patience, events }) {
      if (events !== undefined) tally.expectEvents(events);
      let count = tally.deliveries;
      let since = now();
      while (tally.deliveries < tally.expected && now() - since < patience * 1000) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (tally.deliveries !== count) {
          count = tally.deliveries;
          since = now();
        }
      }
      return tally.report();
    },

    position({ port, path }) {
      return new Promise((resolve, reject) => {
        const reader = new FrameReader();
        reader.keepId = true;
        const socket = connect(port, '127.0.0.1');
        socket.once('error', reject).on('data', (bytes) => {
          reader.read(bytes, batch);
          batch.length = 0;
          if (reader.lastId === '') return;
          socket.destroy();
          resolve(reader.lastId);
        });
        socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`);
      });
    },

    async close() {
      closing = true;
      for (const stream of streams) stream.destroy();
      streams = [];
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  };
}
