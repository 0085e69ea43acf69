import type { ExecutionContext } from 'ava';
import { createRealtime, type Realtime, type RealtimeOptions } from '../../src/index.js';
import type { TestDatabase } from '../helpers/database.js';
import type { Nats } from '../helpers/nats.js';
import { byHeader, type LogLine, recordingLogger, startServer, type TestServer } from '../helpers/server.js';

export interface Relayed extends TestServer {
  readonly realtime: Realtime;
  readonly lines: LogLine[];
}

async function start(t: Pick<ExecutionContext, 'teardown'>, options: RealtimeOptions): Promise<Relayed> {
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({ authenticate: byHeader, logger, ...options });
  const server = await startServer(t, realtime);
  await realtime.start();
  return { ...server, realtime, lines };
}

/** An instance on PostgreSQL that brings its events into the relay. */
export const startSource = (
  t: Pick<ExecutionContext, 'teardown'>,
  db: TestDatabase,
  nats: Nats,
  options: RealtimeOptions = {},
): Promise<Relayed> => start(t, { database: db.url, relay: { servers: nats.urls }, ...options });

/** An instance that has the relay only. */
export const startEdge = (
  t: Pick<ExecutionContext, 'teardown'>,
  nats: Nats,
  options: RealtimeOptions = {},
): Promise<Relayed> => start(t, { relay: { servers: nats.urls }, ...options });
