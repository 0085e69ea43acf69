/** A source of a relay, in a process of its own so that it can be killed; and who publishes to NATS itself, for the floor. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { createRealtime, type Realtime } from '../../src/index.js';
import { now } from '../clock.js';

/** The subject of the floor. */
export const CORE = 'bench.core';

/** The number of an event, and the moment at which something had it. */
export type Stamp = readonly [n: number, moment: number];

export interface RelaySource {
  /** @param options - `servers` undefined: an instance that writes no relay. @returns where it serves clients */
  start(options: { databaseUrl: string; servers: string | undefined; stamped: boolean }): Promise<{ port: number }>;
  /** Whether it writes the log. */
  leads(argument: null): Promise<boolean>;
  /** When it had each event since the last question. */
  stamps(argument: null): Promise<Stamp[]>;
  /** Publishes to NATS without JetStream, beside all else that this process does: so many messages a second. */
  core(options: { servers: string; rate: number; seconds: number }): Promise<void>;
}

export function play(): RelaySource {
  let realtime: Realtime | undefined;
  let stamps: Stamp[] = [];
  return {
    async start({ databaseUrl, servers, stamped }) {
      const started = createRealtime({
        database: databaseUrl,
        authenticate: (request) => new URL(request.url).searchParams.get('user'),
        ...(servers !== undefined && { relay: { servers } }),
      });
      if (stamped) {
        // A subscriber costs the event least; its own clients would get it in this turn.
        started.subscribe((event) => {
          stamps.push([Number(event.detail.n), now()]);
        });
      }
      realtime = started;
      await started.start();
      const server = createServer((request, response) => started.handler(request, response));
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      return { port: (server.address() as AddressInfo).port };
    },
    async leads() {
      return /^djr_relay_writes 1$/m.test((await realtime?.metrics()) ?? '');
    },
    async stamps() {
      const taken = stamps;
      stamps = [];
      return taken;
    },
    async core({ servers, rate, seconds }) {
      const connection = await connect({ servers });
      const ends = now() + seconds * 1e6;
      // As long as what an event is on the wire.
      const pad = 'x'.repeat(150);
      while (now() < ends) {
        // At no moment that has to do with the events'.
        await pause((Math.random() * 2000) / rate);
        connection.publish(CORE, JSON.stringify([now(), pad]));
      }
      await connection.flush();
      await connection.close();
    },
  };
}
