import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Batch, FrameReader, READ_BYTES } from './frames.js';
import { tokenOf } from './token.js';

/** What a client speaks: Server-Sent Events over HTTP/1.1, the same over TLS, over HTTP/2 with TLS; or Socket.IO. */
export type Protocol = 'sse' | 'https' | 'http2' | 'socket.io';

export interface StreamOptions {
  port: number;
  /** Path and query; `USER` in it is replaced with the client's number, `ROOM` with that of its topic. */
  path: string;
  /** Topics among which the clients are dealt out. @defaultValue 1 */
  topics?: number | undefined;
  /** Places by which a client's topic lies behind the one that it is dealt. @defaultValue 0 */
  shift?: number | undefined;
  /** What the server speaks. @defaultValue `sse` */
  protocol?: Protocol | undefined;
  /** Streams that share a connection of HTTP/2. @defaultValue 1 */
  perConnection?: number | undefined;
  /** Sent as header, for a resume. */
  lastEventId?: string | undefined;
  /** Whether the stream remembers the last id and `retry:` that it got. */
  keepId?: boolean;
  /** One more header, as `Cookie: session=USER`; `TOKEN` in it is replaced with a JSON Web Token of the client's. */
  header?: string | undefined;
  /** The address from which is connected: each has some 28,000 ports. @defaultValue that which the kernel takes */
  localAddress?: string | undefined;
}

/** One client. */
export interface Stream {
  index: number;
  /** Reads it; none where the client speaks no Server-Sent Events. */
  reader?: FrameReader;
  destroy(): void;
}

/** Who is told what the streams of this process get. */
export interface Listener {
  /** Events of one read. */
  readonly batch: Batch;
  /** Called behind each read of an open stream. */
  onRead(index: number, bytes: number): void;
  /** A stream that was open has ended. */
  onClose(stream: Stream): void;
}

// One buffer for all sockets: each read is worked off before the next begins.
const buffer = Buffer.allocUnsafe(READ_BYTES);

/** What is asked for, with the client's own numbers in it. */
const fill = (text: string, index: number, { topics = 1, shift = 0 }: Partial<StreamOptions> = {}): string =>
  text
    .replaceAll('USER', String(index))
    .replaceAll('ROOM', String((index + shift) % topics))
    .replace('TOKEN', () => tokenOf(index));

/** Opens one stream. Resolves when its first bytes are there. */
export async function openStream(options: StreamOptions, index: number, listener: Listener): Promise<Stream> {
  if (options.protocol === 'http2') return openHttp2(options, index, listener);
  if (options.protocol !== 'socket.io') return openHttp1(options, index, listener);
  // Only the checkout has the peers and what speaks to them.
  const { connectWebSocket } = await import('./web-socket.js');
  return connectWebSocket(options.port, fill(options.path, index, options), index, listener);
}

/** Follows a stream from its request to its end. */
class Opening {
  readonly reader = new FrameReader();
  #open = false;
  readonly #listener: Listener;
  readonly #stream: Stream;
  readonly #resolve: (stream: Stream) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    { keepId = false }: StreamOptions,
    listener: Listener,
    stream: Omit<Stream, 'reader'>,
    resolve: (stream: Stream) => void,
    reject: (error: Error) => void,
  ) {
    this.reader.keepId = keepId;
    this.#listener = listener;
    this.#stream = { ...stream, reader: this.reader };
    this.#resolve = resolve;
    this.#reject = reject;
  }

  read(bytes: Buffer): void {
    this.reader.read(bytes, this.#listener.batch);
    if (!this.#open) {
      if (!this.reader.begun) return;
      if (this.reader.status !== 200) {
        this.#reject(new Error(`The stream was refused with ${this.reader.status}.`));
        this.#stream.destroy();
        return;
      }
      this.#open = true;
      this.#resolve(this.#stream);
    }
    this.#listener.onRead(this.#stream.index, bytes.length);
  }

  ended(): void {
    if (this.#open) this.#listener.onClose(this.#stream);
    else this.#reject(new Error('The stream was closed before it began.'));
  }
}

function openHttp1(options: StreamOptions, index: number, listener: Listener): Promise<Stream> {
  const { port, path, lastEventId, header, protocol, localAddress } = options;
  return new Promise((resolve, reject) => {
    const opening = new Opening(options, listener, { index, destroy: () => socket.destroy() }, resolve, reject);
    const target = {
      port,
      host: '127.0.0.1',
      noDelay: true,
      ...(localAddress ? { localAddress } : {}),
      onread: {
        buffer,
        callback(length: number, bytes: Uint8Array) {
          opening.read((bytes as Buffer).subarray(0, length));
          return true;
        },
      },
    };
    // The certificate is the benchmark's own, made a moment ago.
    const socket: Socket =
      protocol === 'https' ? connectTls({ ...target, rejectUnauthorized: false }) : connectTcp(target);
    socket.once('error', reject);
    socket.once('close', () => opening.ended());
    const resume = lastEventId ? `Last-Event-ID: ${lastEventId}\r\n` : '';
    const own = header ? `${fill(header, index)}\r\n` : '';
    socket.write(
      `GET ${fill(path, index, options)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${own}${resume}\r\n`,
    );
  });
}

/** The connections of HTTP/2, and how many streams each has got. */
const sessions: { session: ClientHttp2Session; port: number; streams: number }[] = [];

function sessionOf({ port, perConnection = 1 }: StreamOptions): ClientHttp2Session {
  const last = sessions.at(-1);
  if (last && last.port === port && last.streams < perConnection && !last.session.closed) {
    last.streams += 1;
    return last.session;
  }
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  // Each of its streams says so as well.
  session.on('error', () => {});
  sessions.push({ session, port, streams: 1 });
  return session;
}

/** Ends the connections that streams of HTTP/2 share. */
export function closeSessions(): void {
  for (const { session } of sessions.splice(0)) session.destroy();
}

function openHttp2(options: StreamOptions, index: number, listener: Listener): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const stream = sessionOf(options).request({
      ':path': fill(options.path, index, options),
      accept: 'text/event-stream',
      ...(options.lastEventId ? { 'last-event-id': options.lastEventId } : {}),
    });
    const opening = new Opening(options, listener, { index, destroy: () => stream.destroy() }, resolve, reject);
    stream.once('response', ({ ':status': status }) => {
      opening.reader.status = status ?? 0;
    });
    stream.on('data', (bytes: Buffer) => opening.read(bytes));
    stream.once('error', reject);
    stream.once('close', () => opening.ended());
  });
}
