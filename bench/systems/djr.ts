/** djr as an app mounts it: createRealtime with its Node handler on a plain node:http server. */
import { createServer } from 'node:http';
import pg from 'pg';
import { createRealtime } from '../../src/index.js';
import { stderrLogger } from '../../src/lib/logger.js';
import { type System, type SystemOptions, usage } from './system.js';

/** What this process asks the database, counted where every statement passes. */
function countStatements(): () => number {
  let count = 0;
  const original = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const counted = function (this: pg.Client, ...args: unknown[]) {
    count += 1;
    return original.apply(this, args);
  };
  pg.Client.prototype.query = counted as typeof pg.Client.prototype.query;
  return () => count;
}

export function play(): System {
  const statements = countStatements();
  return {
    usage: async (argument) => ({ ...(await usage(argument)), statements: statements() }),
    async listen({ databaseUrl, hooks, instances = 1, topics, ...options }: SystemOptions) {
      const realtimes = Array.from({ length: instances }, () =>
        createRealtime({
          database: databaseUrl,
          authenticate: (request) => new URL(request.url).searchParams.get('user'),
          ...(topics ? { authorizeTopic: () => true } : {}),
          ...(options.sweepInterval ? { sweepInterval: options.sweepInterval } : {}),
          ...(options.pruneInterval ? { pruneInterval: options.pruneInterval } : {}),
          ...(options.errorsOnly ? { logger: { ...stderrLogger, warn() {} } } : {}),
          ...(options.historyEvents ? { historyEvents: options.historyEvents } : {}),
          ...(hooks ? { onReceive: (event) => event, beforeSend: (event) => event } : {}),
        }),
      );
      for (const realtime of realtimes) await realtime.start();
      let next = 0;
      const server = createServer((request, response) => {
        next = (next + 1) % instances;
        realtimes[next]!.handler(request, response);
      });
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path: `/realtime/sse/?user=USER${topics ? '&topic=room:ROOM' : ''}` };
    },
  };
}
