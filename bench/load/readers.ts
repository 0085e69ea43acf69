import { now } from '../clock.js';
import { Batch } from './frames.js';
import { newHistogram, pack, record } from './histogram.js';
import { closeSessions, type Listener, openStream, type Stream, type StreamOptions } from './stream.js';
import { type Expectation, type Received, Tally } from './tally.js';

export interface ConnectOptions extends StreamOptions {
  clients: number;
  /** Connections being opened at once. @defaultValue 100 */
  parallel?: number;
  /** Whether a client that is refused tries again, as ours does in a page. @defaultValue false: the run fails */
  again?: boolean;
}

export interface Moved {
  /** Streams that have opened again at the other place. */
  moved: number;
  /** When the last of them had, on the machine's clock. */
  last: number;
  /** Attempts that were refused or failed, after which a client tried again. */
  refused: number;
}

export interface Readers {
  /** Opens the streams; resolves when the first bytes of each are there, with the seconds that it took. */
  connect(options: ConnectOptions): Promise<{ seconds: number; lastOpened: number; refused: number }>;
  /** How many streams are open, while they are being opened. */
  opened(argument: null): Promise<number>;
  /**
   * Every client changes its topic at once, as a page does: it opens a stream from its last id, and closes the old one when the new
   * one stands. What the old one brings meanwhile is not counted, as the new one has to bring it. They were connected with `keepId`.
   *
   * @returns seconds until the last stream stands, and a packed histogram of what each took
   */
  change(options: StreamOptions): Promise<{ seconds: number; delays: string }>;
  /** From now on events are counted and checked. */
  expect(expectation: Expectation): Promise<void>;
  /** Waits until everything expected is there, or nothing has come for `patience` milliseconds. */
  received(options: { patience: number; events?: number }): Promise<Received>;
  /** Opens one stream, waits for its first id, closes it: where a client would resume from. */
  position(options: StreamOptions): Promise<string>;
  /** From now on a stream keeps its last id; one that ends opens again at this port, when and where a browser would. */
  follow(options: { port: number }): Promise<void>;
  /** Waits until all streams have moved, or none has for `patience` milliseconds. */
  moved(options: { patience: number }): Promise<Moved>;
  close(argument: null): Promise<void>;
}

/** Milliseconds after which a client tries again that was refused. */
const AGAIN = 1000;

export function play(): Readers {
  let streams: Stream[] = [];
  let tally = new Tally(0, { events: 0, warmup: 0 });
  let closing = false;
  let opened = 0;
  let options: StreamOptions | undefined;
  let followed: { port: number; moved: number; last: number; refused: number } | undefined;
  const batch = new Batch();

  const listener: Listener = {
    batch,
    onRead(index, bytes) {
      tally.bytes += bytes;
      if (batch.length > 0) tally.add(index, batch);
      batch.length = 0;
    },
    onClose(stream) {
      if (closing) return;
      if (followed) setTimeout(reopen, stream.reader?.retry ?? AGAIN, stream);
      else tally.closed += 1;
    },
  };

  /** The streams that may be changed for others, and what says that one is not looked at any more. */
  const gates = new WeakMap<Stream, { ignored: boolean }>();

  async function openGated(target: StreamOptions, index: number): Promise<Stream> {
    const gate = { ignored: false };
    const stream = await openStream({ ...target, keepId: true }, index, {
      batch,
      onRead(of, bytes) {
        if (gate.ignored) batch.length = 0;
        else listener.onRead(of, bytes);
      },
      onClose(ended) {
        if (!gate.ignored) listener.onClose(ended);
      },
    });
    gates.set(stream, gate);
    return stream;
  }

  async function change(old: Stream, target: StreamOptions): Promise<Stream> {
    const lastEventId = old.reader?.lastId;
    if (!lastEventId) throw new Error('A client must have an id before it changes its topic.');
    gates.get(old)!.ignored = true;
    gates.delete(old);
    const stream = await openGated({ ...target, lastEventId }, old.index);
    old.destroy();
    return stream;
  }

  /** As a browser does when a stream has ended. */
  async function reopen({ index, reader }: Stream): Promise<void> {
    const target = followed;
    if (closing || !target || !options) return;
    try {
      const place = { port: target.port, lastEventId: reader?.lastId, keepId: true };
      streams[index] = await openStream({ ...options, ...place }, index, listener);
      target.moved += 1;
      target.last = now();
    } catch {
      target.refused += 1;
      setTimeout(reopen, AGAIN, { index, reader });
    }
  }

  /** Waits until `count` says that all is there, or has said the same for so many milliseconds. */
  async function settled(count: () => number, all: () => boolean, patience: number): Promise<void> {
    let before = count();
    let since = now();
    while (!all() && now() - since < patience * 1000) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (count() !== before) {
        before = count();
        since = now();
      }
    }
  }

  return {
    async connect({ clients, parallel = 100, again = false, ...target }) {
      const started = now();
      let refused = 0;
      const first = streams.length;
      let index = first;
      closing = false;
      followed = undefined;
      options = target;
      opened = first;
      const worker = async () => {
        while (index < first + clients) {
          const mine = index++;
          for (;;) {
            try {
              streams[mine] = target.keepId ? await openGated(target, mine) : await openStream(target, mine, listener);
              break;
            } catch (error) {
              if (!again) throw error;
              refused += 1;
              await new Promise((resolve) => setTimeout(resolve, AGAIN));
            }
          }
          opened += 1;
        }
      };
      await Promise.all(Array.from({ length: parallel }, worker));
      return { seconds: (now() - started) / 1e6, lastOpened: now(), refused };
    },

    async opened() {
      return opened;
    },

    async change(target) {
      const started = now();
      const delays = newHistogram();
      const changeOne = async (old: Stream): Promise<Stream> => {
        const stream = await change(old, target);
        record(delays, now() - started);
        return stream;
      };
      streams = await Promise.all(streams.map(changeOne));
      return { seconds: (now() - started) / 1e6, delays: pack(delays) };
    },

    async expect(expectation) {
      global.gc?.();
      tally = new Tally(expectation.clients ?? streams.length, { ...expectation });
    },

    async received({ patience, events }) {
      if (events !== undefined) tally.expectEvents(events);
      await settled(
        () => tally.deliveries,
        () => tally.deliveries >= tally.expected,
        patience,
      );
      return tally.report();
    },

    async position(target) {
      const stream = await openStream({ ...target, keepId: true }, 0, { ...listener, onClose: () => {} });
      // The connected frame, which every stream begins with, has an id.
      while (stream.reader!.lastId === '') await new Promise((resolve) => setTimeout(resolve, 5));
      stream.destroy();
      batch.length = 0;
      return stream.reader!.lastId;
    },

    async follow({ port }) {
      for (const { reader } of streams) if (reader) reader.keepId = true;
      followed = { port, moved: 0, last: 0, refused: 0 };
    },

    async moved({ patience }) {
      const target = followed!;
      await settled(
        () => target.moved,
        () => target.moved >= streams.length,
        patience,
      );
      const { moved, last, refused } = target;
      return { moved, last, refused };
    },

    async close() {
      closing = true;
      for (const stream of streams) stream.destroy();
      closeSessions();
      streams = [];
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  };
}
