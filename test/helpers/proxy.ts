import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import type { ExecutionContext } from 'ava';

/**
 * A TCP connection to PostgreSQL that can go wrong: `swallow` keeps NOTIFY's messages, as a pooler in transaction mode
 * does; `silent` forwards nothing and ends nothing, as a broken network does; `refuse` is a server that is not there;
 * `terminate` ends each connection in the very packet in which it says that it is ready, `terminate one` the next one, `terminate listeners` each one that has said LISTEN.
 */
export type ProxyMode =
  | 'pass'
  | 'swallow'
  | 'silent'
  | 'refuse'
  | 'terminate'
  | 'terminate one'
  | 'terminate listeners';

/** Cuts PostgreSQL's bytes into messages: each has a letter and a length. */
function messages(onMessage: (type: string, message: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const end = 1 + rest.readUInt32BE(1);
      if (rest.length < end) return;
      onMessage(String.fromCharCode(rest[0]!), rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

const TERMINATION = ((): Buffer => {
  const fields = 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0';
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + fields.length);
  return Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)]);
})();

function filterFor(mode: ProxyMode, near: Socket): (chunk: Buffer) => void {
  if (mode === 'swallow') return messages((type, message) => type !== 'A' && near.write(message));
  if (!mode.startsWith('terminate')) return (chunk) => near.write(chunk);
  let listens = mode !== 'terminate listeners';
  return messages((type, message) => {
    if (type === 'C') listens ||= message.includes('LISTEN');
    if (type === 'Z' && listens) near.end(Buffer.concat([message, TERMINATION]));
    else if (near.writable) near.write(message);
  });
}

export class DatabaseProxy {
  mode: ProxyMode;
  #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections accepted so far, and refused. */
  accepted = 0;
  refused = 0;

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

  /** Leads to another server from now on, as an address does that moves in a failover. */
  moveTo(target: string): void {
    this.#target = new URL(target);
    this.cut();
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  #accept(near: Socket): void {
    if (this.mode === 'refuse') {
      this.refused += 1;
      near.destroy();
      return;
    }
    this.accepted += 1;
    const far = tcpConnect(Number(this.#target.port), this.#target.hostname);
    const toNear = filterFor(this.mode, near);
    if (this.mode === 'terminate one') this.mode = 'pass';
    near.on('data', (chunk) => this.mode !== 'silent' && far.write(chunk));
    far.on('data', (chunk) => this.mode !== 'silent' && toNear(chunk));
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
