import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A TCP relay in front of a server, that can swallow what goes through it and end nothing, as a broken network does. */
export class Relay {
  /** Connections that it accepted. */
  accepted = 0;
  readonly #server: Server;
  readonly #pairs = new Set<[near: Socket, far: Socket]>();
  #swallowsAll = false;

  constructor(port: number) {
    this.#server = createServer((near) => {
      this.accepted += 1;
      if (this.#swallowsAll) {
        near.pause().on('error', () => {});
        return;
      }
      const far = tcpConnect(port, '127.0.0.1');
      const pair: [Socket, Socket] = [near, far];
      this.#pairs.add(pair);
      near.pipe(far).pipe(near);
      for (const [socket, other] of [pair, [far, near]] as const) {
        socket.on('error', () => {});
        socket.once('close', () => this.#pairs.delete(pair) && other.destroy());
      }
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** localhost is a secure context. */
  get origin(): string {
    return `http://localhost:${(this.#server.address() as { port: number }).port}`;
  }

  /** Swallows all bytes of the connections that there are, both ways, and sends no FIN. New ones pass. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe().pause();
      far.unpipe().pause();
    }
    this.#pairs.clear();
  }

  /** Accepts connections, and answers none of them. */
  set swallowsAll(value: boolean) {
    this.#swallowsAll = value;
  }

  /** Ends the connections that there are. New ones pass. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  close(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#server.close();
  }
}

/** Listens until the test ends. */
export async function startRelay(t: Pick<ExecutionContext, 'teardown'>, port: number): Promise<Relay> {
  const relay = new Relay(port);
  await relay.listen();
  t.teardown(() => relay.close());
  return relay;
}
