import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import type { Random } from './random.js';

/** What an edge gets that nobody has promised: live copies, which may be lost, come twice, or one behind the other. */
const LIVE = 'live.';

/**
 * Stands between an edge and one nats-server, and knows NATS's protocol well enough to lose, double and reorder live copies. What
 * the edge asks for, and the answers, it leaves alone.
 */
export class NatsProxy {
  /** Whether live copies are lost, doubled and reordered now. */
  isWild = false;
  readonly #port: number;
  readonly #random: Random;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  constructor(url: string, random: Random) {
    this.#port = Number(new URL(url).port);
    this.#random = random;
    this.#server = createServer((near) => this.#connect(near));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends the connections. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Swallows all that goes through the connections that there are, and ends none: no FIN tells it. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.removeAllListeners('data').pause();
      far.removeAllListeners('data').pause();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(near: Socket): void {
    const far = tcpConnect(this.#port, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on('data', (chunk: Buffer) => far.write(chunk));
    const passage = new Passage(
      (chunk) => near.write(chunk),
      this.#random,
      () => this.isWild,
    );
    far.on('data', (chunk: Buffer) => passage.push(chunk));
    for (const [socket, other] of [pair, [far, near]] as const) {
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
  }
}

/** What one server sends, operation by operation. */
class Passage {
  readonly #write: (chunk: Buffer) => void;
  readonly #random: Random;
  readonly #isWild: () => boolean;
  #buffer = Buffer.alloc(0);
  #kept: Buffer | undefined;

  constructor(write: (chunk: Buffer) => void, random: Random, isWild: () => boolean) {
    this.#write = write;
    this.#random = random;
    this.#isWild = isWild;
  }

  push(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#buffer.toString('latin1', 0, end);
      const isMessage = /^H?MSG /.test(line);
      const length = end + 2 + (isMessage ? Number(line.slice(line.lastIndexOf(' ') + 1)) + 2 : 0);
      if (this.#buffer.length < length) return;
      const operation = this.#buffer.subarray(0, length);
      this.#buffer = this.#buffer.subarray(length);
      if (line.startsWith('INFO ')) this.#inform(line);
      else if (isMessage && line.split(' ')[1]!.startsWith(LIVE) && this.#isWild()) this.#mistreat(operation);
      else this.#pass(operation);
    }
  }

  /** An edge must not learn of ways round this one. */
  #inform(line: string): void {
    const { connect_urls: _, ...rest } = JSON.parse(line.slice(5)) as Record<string, unknown>;
    this.#write(Buffer.from(`INFO ${JSON.stringify(rest)}\r\n`));
  }

  #mistreat(operation: Buffer): void {
    const what = this.#random.between(0, 9);
    if (what < 2) return;
    if (what === 2 && !this.#kept) {
      this.#kept = operation;
      return;
    }
    this.#pass(operation);
    if (what === 3) this.#write(operation);
  }

  /** What was kept comes behind it. */
  #pass(operation: Buffer): void {
    this.#write(operation);
    if (this.#kept) this.#write(this.#kept);
    this.#kept = undefined;
  }
}
