import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Nats, NatsServer } from '../helpers/nats-servers.js';
import { NatsProxy } from './nats-proxy.js';
import { pause, type Random } from './random.js';

/** Milliseconds for which live copies are lost, doubled and reordered. */
const WILD = 3000;

/** The engine of a torture, and the ways by which its edges reach it. */
export class RelayUnderTorture {
  readonly nats: Nats;
  readonly #random: Random;
  readonly #proxies: NatsProxy[][] = [];

  constructor(nats: Nats, random: Random) {
    this.nats = nats;
    this.#random = random;
  }

  /** A way of its own for one more edge. @returns the addresses that the edge is given */
  async wayForEdge(): Promise<string[]> {
    const proxies = this.nats.urls.map((url) => new NatsProxy(url, this.#random.fork()));
    await Promise.all(proxies.map((proxy) => proxy.start()));
    this.#proxies.push(proxies);
    return proxies.map(({ url }) => url);
  }

  /** What may be done to the engine, and to what leads to it. */
  faults(): [string, () => Promise<void>][] {
    const { nats } = this;
    return [
      ['nats-server killed and started', () => this.#kill(this.#random.pick(nats.servers))],
      ['leader of the log killed and started', async () => this.#kill(await this.#leader())],
      [
        'nats-server paused',
        async () => {
          const paused = this.#random.pick(nats.servers);
          paused.signal('SIGSTOP');
          await pause(this.#random.between(100, 3000));
          paused.signal('SIGCONT');
          await nats.ready();
        },
      ],
      ['engine wiped', () => nats.wipe()],
      ['edge cut off from the engine', async () => this.#each((proxy) => proxy.cut())],
      ['edge cut off from the engine without a FIN', async () => this.#each((proxy) => proxy.freeze())],
      ['live copies lost, doubled and reordered', () => this.#wild()],
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.flat().map((proxy) => proxy.stop()));
  }

  async #kill(server: NatsServer): Promise<void> {
    await server.kill();
    await pause(this.#random.between(0, 2000));
    await server.start();
    await this.nats.ready();
  }

  /** One of the edges at random. */
  #each(harm: (proxy: NatsProxy) => void): void {
    for (const proxy of this.#random.pick(this.#proxies)) harm(proxy);
  }

  async #wild(): Promise<void> {
    const proxies = this.#proxies.flat();
    for (const proxy of proxies) proxy.isWild = true;
    await pause(WILD);
    for (const proxy of proxies) proxy.isWild = false;
  }

  /** The server that leads the stream; any where there is no cluster, or nobody knows. */
  async #leader(): Promise<NatsServer> {
    const { servers, urls } = this.nats;
    try {
      const connection = await connect({ servers: urls, timeout: 1000, reconnect: false });
      try {
        const { cluster } = await (await jetstreamManager(connection)).streams.info('DJR_default');
        return servers.find(({ name }) => name === cluster?.leader) ?? servers[0]!;
      } finally {
        await connection.close();
      }
    } catch {
      return servers[0]!;
    }
  }
}
