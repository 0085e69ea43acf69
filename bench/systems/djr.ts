/** djr as an app mounts it: createRealtime with its Node handler on a plain node:http server. */
import { createServer } from 'node:http';
import { createRealtime } from '../../src/index.js';
import { type System, type SystemOptions, usage } from './system.js';

export function play(): System {
  return {
    usage,
    async listen({ databaseUrl, hooks, sweepInterval, pruneInterval }: SystemOptions) {
      const realtime = createRealtime({
        database: databaseUrl,
        authenticate: (request) => new URL(request.url).searchParams.get('user'),
        ...(sweepInterval ? { sweepInterval } : {}),
        ...(pruneInterval ? { pruneInterval } : {}),
        ...(hooks ? { onReceive: (event) => event, beforeSend: (event) => event } : {}),
      });
      await realtime.start();
      const server = createServer(realtime.handler);
      await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
      const { port } = server.address() as { port: number };
      return { port, path: '/realtime/sse/?user=USER' };
    },
  };
}
