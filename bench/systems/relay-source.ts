/** A source of a relay, in a process of its own so that it can be killed; and who publishes to NATS itself, for the floor. */
import { connect } from '@nats-io/transport-node';
import { createRealtime, type Realtime } from '../../src/index.js';
import { now, waitUntil } from '../clock.js';

/** The subject of the floor. */
export const CORE = 'bench.core';

/** The number of an event, and the moment at which something had it. */
export type Stamp = readonly [n: number, moment: number];

export interface RelaySource {
  start(options: { databaseUrl: string; servers: string }): Promise<void>;
  /** Whether it writes the log. */
  leads(argument: null): Promise<boolean>;
  /** When it had each event since the last question. */
  stamps(argument: null): Promise<Stamp[]>;
  /** Publishes to NATS alone, so many messages a second. */
  core(options: { servers: string; rate: number; messages: number }): Promise<void>;
}

export function play(): RelaySource {
  let realtime: Realtime | undefined;
  let stamps: Stamp[] = [];
  return {
    async start({ databaseUrl, servers }) {
      realtime = createRealtime({
        database: databaseUrl,
        relay: { servers },
        onReceive: (event) => {
          stamps.push([Number(event.detail.n), now()]);
          return event;
        },
      });
      await realtime.start();
    },
    async leads() {
      return /^djr_relay_writes 1$/m.test((await realtime?.metrics()) ?? '');
    },
    async stamps() {
      const taken = stamps;
      stamps = [];
      return taken;
    },
    async core({ servers, rate, messages }) {
      const connection = await connect({ servers });
      const started = now() + 20_000;
      // As long as what an event is on the wire.
      const pad = 'x'.repeat(150);
      for (let n = 0; n < messages; n += 1) {
        await waitUntil(started + (n * 1e6) / rate);
        connection.publish(CORE, JSON.stringify([now(), pad]));
      }
      await connection.flush();
      await connection.close();
    },
  };
}
