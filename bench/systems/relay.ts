/** A relay: a nats-server, sources in processes of their own, and edges in this one, of which the first serves clients. */
import { createServer } from 'node:http';
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
  /** The same from a publish to NATS to its subscriber, without JetStream. */
  core(options: { rate: number; seconds: number }): Promise<string>;
  /** Kills the source that writes the log. */
  kill(argument: null): Promise<void>;
  /** Starts a source in the place of the one that was killed. */
  mend(argument: null): Promise<void>;
}

export function play(): RelaySystem {
  let servers = '';
  let database = '';
  let sources: Remote<RelaySource>[] = [];
  let stamps: Stamp[] = [];

  const startSource = async (): Promise<Remote<RelaySource>> => {
    const source = start<RelaySource>('relay-source');
    await source.start({ databaseUrl: database, servers });
    return source;
  };
  const startEdge = async (interest: 'all' | 'own', isFirst: boolean): Promise<Realtime> => {
    const edge = createRealtime({
      relay: { servers, interest },
      authenticate: (request) => new URL(request.url).searchParams.get('user'),
      ...(isFirst && {
        beforeSend: (event) => {
          stamps.push([Number(event.detail.n), now()]);
          return event;
        },
      }),
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
      servers = await startNatsServer();
      sources = await Promise.all(Array.from({ length: count }, startSource));
      await leader();
      const all = await Promise.all(Array.from({ length: edges }, (_, i) => startEdge(interest, stamped && i === 0)));
      const server = createServer((request, response) => all[0]!.handler(request, response));
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path: '/realtime/sse/?user=USER' };
    },
    async added() {
      const had = new Map((await Promise.all(sources.map((source) => source.stamps(null)))).flat().reverse());
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
      await sources[0]!.core({ servers, rate, messages: rate * seconds });
      await connection.flush();
      await connection.close();
      return pack(histogram);
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
