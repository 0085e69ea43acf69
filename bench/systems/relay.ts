/** A relay: a nats-server, sources in processes of their own, and edges in this one, of which the first serves clients. */
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { createRealtime, type Realtime } from '../../src/index.js';
import { now } from '../clock.js';
import { newHistogram, pack, record } from '../load/histogram.js';
import { type Remote, start } from '../remote.js';
import { startNatsServer } from './nats-server.js';
import { CORE, type RelaySource, type Stamp } from './relay-source.js';
import { resident, type System, type SystemOptions, usage } from './system.js';

export interface RelaySystem extends System {
  /** From the moment at which a source had each event, since the last question, to that at which it went to a client here. */
  added(argument: null): Promise<string>;
  /**
   * The same from a publish to NATS to its subscriber, without JetStream, between the same two processes: from that of the source that
   * writes to this one.
   */
  core(options: { rate: number; seconds: number }): Promise<string>;
  /** The processes of the sources. */
  pids(argument: null): Promise<number[]>;
  /** Kills the source that writes the log. */
  kill(argument: null): Promise<void>;
  /** Starts a source in the place of the one that was killed. */
  mend(argument: null): Promise<void>;
}

/** Tells when events go to clients: with a hook each would be a write of its own. */
function watchWrites(onEvent: (stamp: Stamp) => void): void {
  const { write } = Socket.prototype;
  Socket.prototype.write = function (this: Socket, ...all: Parameters<typeof write>) {
    const moment = now();
    const [chunk] = all as unknown[];
    if (Buffer.isBuffer(chunk)) {
      for (const [, n] of chunk.toString('latin1').matchAll(/^data: .*"n": ?(\d+)/gm)) onEvent([Number(n), moment]);
    }
    return write.apply(this, all);
  } as typeof write;
}

export function play(): RelaySystem {
  let servers = '';
  let database = '';
  let sources: Remote<RelaySource>[] = [];
  let stamps: Stamp[] = [];
  let isRelay = true;
  let isStamped = false;
  /** Where the first source serves clients. */
  let served: number | undefined;

  const startSource = async (): Promise<Remote<RelaySource>> => {
    const source = start<RelaySource>('relay-source');
    const { port } = await source.start({
      databaseUrl: database,
      servers: isRelay ? servers : undefined,
      stamped: isStamped,
    });
    served ??= port;
    return source;
  };
  const startEdge = async (interest: 'all' | 'own'): Promise<Realtime> => {
    const edge = createRealtime({
      relay: { servers, interest },
      authenticate: (request) => new URL(request.url).searchParams.get('user'),
    });
    await edge.start();
    return edge;
  };
  const leader = async (): Promise<Remote<RelaySource>> => {
    for (;;) {
      for (const source of sources) if (await source.leads(null)) return source;
      await pause(20);
    }
  };

  return {
    usage,
    resident,
    async listen({ databaseUrl, relay = {} }: SystemOptions) {
      const { edges = 1, interest = 'all', sources: count = 2, stamped = false } = relay;
      database = databaseUrl;
      isRelay = edges > 0;
      isStamped = stamped;
      if (stamped) watchWrites((stamp) => stamps.push(stamp));
      if (isRelay) servers = await startNatsServer();
      sources = await Promise.all(Array.from({ length: count }, startSource));
      const path = '/realtime/sse/?user=USER';
      if (!isRelay) return { port: served!, path };
      await leader();
      const all = await Promise.all(Array.from({ length: edges }, () => startEdge(interest)));
      const server = createServer((request, response) => all[0]!.handler(request, response));
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path };
    },
    async added() {
      const writer = await leader();
      // The other source may have heard an event before, or behind, the one that writes.
      const had = new Map(await writer.stamps(null));
      const histogram = newHistogram();
      for (const [n, moment] of stamps) {
        const before = had.get(n);
        if (before !== undefined) record(histogram, moment - before);
      }
      stamps = [];
      return pack(histogram);
    },
    async core({ rate, seconds }) {
      const connection = await connect({ servers });
      const histogram = newHistogram();
      connection.subscribe(CORE, {
        callback: (_, message) => record(histogram, now() - message.json<[number]>()[0]),
      });
      await connection.flush();
      await (await leader()).core({ servers, rate, seconds });
      await connection.flush();
      await connection.close();
      return pack(histogram);
    },
    async pids() {
      return sources.map(({ pid }) => pid);
    },
    async kill() {
      const gone = await leader();
      process.kill(gone.pid, 'SIGKILL');
      sources = sources.filter((source) => source !== gone);
    },
    async mend() {
      sources.push(await startSource());
    },
  };
}
