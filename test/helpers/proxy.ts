import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import type { ExecutionContext } from 'ava';

/**
 * A TCP connection to PostgreSQL that can go wrong: `swallow` keeps NOTIFY's messages, as a pooler in transaction mode
 * does; `silent` forwards nothing and ends nothing, as a broken network does; `refuse` is a server that is not there.
 */
export type ProxyMode = 'pass' | 'swallow' | 'silent' | 'refuse';

const NOTIFICATION = 'A'.charCodeAt(0);

/** Cuts PostgreSQL's messages out of its bytes; each has a letter and a length. */
function withoutNotifications(forward: (chunk: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const end = 1 + rest.readUInt32BE(1);
      if (rest.length < end) return;
      if (rest[0] !== NOTIFICATION) forward(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

export class DatabaseProxy {
  mode: ProxyMode;
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections accepted so far. */
  accepted = 0;

  constructor(target: string, mode: ProxyMode) {
    this.#target = new URL(target);
    this.mode = mode;
    this.#server = createServer((near) => this.#accept(near));
  }

  /** The database's URI through here. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as { port: number }).port);
    return url.href;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  #accept(near: Socket): void {
    if (this.mode === 'refuse') {
      near.destroy();
      return;
    }
    this.accepted += 1;
    const far = tcpConnect(Number(this.#target.port), this.#target.hostname);
    const swallow = this.mode === 'swallow';
    const toNear = (chunk: Buffer) => void near.write(chunk);
    const filtered = swallow ? withoutNotifications(toNear) : toNear;
    near.on('data', (chunk) => this.mode !== 'silent' && far.write(chunk));
    far.on('data', (chunk) => this.mode !== 'silent' && filtered(chunk));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (this.mode !== 'silent') other.destroy();
      });
    }
  }

  /** Drops all connections that there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

/** Listens until the test ends. */
export async function startProxy(
  t: Pick<ExecutionContext, 'teardown'>,
  target: string,
  mode: ProxyMode = 'pass',
): Promise<DatabaseProxy> {
  const proxy = new DatabaseProxy(target, mode);
  await proxy.listen();
  t.teardown(() => proxy.close());
  return proxy;
}
