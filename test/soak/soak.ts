import { setTimeout as pause } from 'node:timers/promises';
import { openServer } from '../../bench/database.js';
import type { Publisher } from '../../bench/load/publisher.js';
import type { Readers } from '../../bench/load/readers.js';
import { start } from '../../bench/remote.js';
import type { System } from '../../bench/systems/system.js';
import { djr } from '../../bench/systems/variants.js';

export interface SoakOptions {
  /** A server to make a database on; without one an embedded PostgreSQL is started. */
  databaseUrl?: string;
  /** Streams that are open at once. */
  clients: number;
  /** Events to every client in a round. */
  events: number;
  /** Rounds of connecting, delivering and leaving. */
  rounds: (done: number) => boolean;
  onRound?: (round: SoakRound) => void;
}

/** Bytes of the server's heap, after collections, when a round's clients have left. */
export interface SoakRound {
  readonly heap: number;
  readonly rss: number;
  readonly deliveries: number;
  /** What went wrong: missing, repeated or foreign events, connections closed. 0: nothing. */
  readonly failures: number;
}

/** Rounds before the first that counts: code is compiled, pools and history are filled. */
const WARM_ROUNDS = 2;

/** The history keeps what was sent, within its bound; nothing of that is a leak, so it is full before it is measured. */
const HISTORY = 10_000;

/**
 * Rounds of clients that come, get events and leave, against a server in a process of its own.
 *
 * @returns the rounds, the one that the others are compared with first
 */
export async function soak({ databaseUrl, clients, events, rounds, onRound }: SoakOptions): Promise<SoakRound[]> {
  const server = await openServer(databaseUrl);
  const [readers, publisher, system] = [start<Readers>('readers'), start<Publisher>('publisher'), start<System>('djr')];
  try {
    const url = await server.create('soak');
    const address = await system.listen({ databaseUrl: url });
    await publisher.connect({ url, connections: 1, statements: djr.statements });
    for (let sent = 0; sent < HISTORY; sent += 5000) await publisher.burst({ events: 5000, together: true });

    const round = async (count: number): Promise<SoakRound> => {
      await readers.connect({ port: address.port, path: address.path, clients: count });
      await readers.expect({ events, warmup: 0 });
      await publisher.burst({ events, together: true });
      const { deliveries, missing, repeated, foreign, closed } = await readers.received({ patience: 30_000 });
      await readers.close(null);
      // What is still on its way out of the kernel: sockets are closed one by one.
      let { heap, rss } = await system.usage(null);
      for (let last = Number.POSITIVE_INFINITY; heap < last; ) {
        last = heap;
        await pause(200);
        ({ heap, rss } = await system.usage(null));
      }
      return { heap, rss, deliveries, failures: missing + repeated + foreign + closed };
    };

    for (let n = 0; n < WARM_ROUNDS; n += 1) await round(clients);
    const all: SoakRound[] = [];
    do {
      const done = await round(clients);
      all.push(done);
      onRound?.(done);
    } while (rounds(all.length));
    return all;
  } finally {
    await Promise.all([readers.end(), publisher.end(), system.end()]);
    await server.close();
  }
}

/** How much the heap has grown: the least of the last third of rounds against the least of the first. */
export function growth(rounds: readonly SoakRound[]): number {
  const third = Math.max(1, Math.floor(rounds.length / 3));
  const least = (some: readonly SoakRound[]) => Math.min(...some.map(({ heap }) => heap));
  return least(rounds.slice(-third)) - least(rounds.slice(0, third));
}
