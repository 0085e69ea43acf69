/** djr as an app mounts it: createRealtime with its Node handler on a server of Node's, by itself or behind a proxy. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import pg from 'pg';
import { jwtLogin, sessionLogin } from '../../src/cli/login/token-login.js';
import { createRealtime, type RealtimeOptions } from '../../src/index.js';
import { stderrLogger } from '../../src/lib/logger.js';
import { JWT_SECRET } from '../load/token.js';
import { serve } from './serve.js';
import { resident, type System, type SystemOptions, usage } from './system.js';

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

/** Whose a stream is: by the query, or as `djr serve` finds it out. */
function authenticateBy({ login, databaseUrl }: SystemOptions): NonNullable<RealtimeOptions['authenticate']> {
  if (login === 'jwt') return jwtLogin({ secret: JWT_SECRET, required: true });
  if (login === 'session') {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
    const sql = 'select user_id from public.bench_session where token = $1 and expires > now()';
    return sessionLogin({ pool, sql, cookie: 'session', required: true });
  }
  return (request) => new URL(request.url).searchParams.get('user');
}

/** What each client hears, with its own numbers to be filled in. */
function topicsOf({ topics, topicsEach }: SystemOptions): string[] {
  const { count, own } = topicsEach ?? { count: 0, own: false };
  const each = Array.from({ length: count }, (_, n) => `room:${own ? 'USER' : 'ROOM'}-${n}`);
  return topics ? ['room:ROOM', ...each] : each;
}

export function play(): System {
  const statements = countStatements();
  let stop = async (): Promise<void> => {};
  let proxy: () => { rss: number; cpu: number } | undefined = () => undefined;
  return {
    async usage(argument) {
      const { rss, cpu } = proxy() ?? {};
      return {
        ...(await usage(argument)),
        statements: statements(),
        ...(rss === undefined || cpu === undefined ? {} : { proxy: { rss, cpu } }),
      };
    },
    resident,
    stop: () => stop(),
    async listen(all: SystemOptions) {
      const { databaseUrl, hooks, instances = 1, transport = 'http', perConnection = 1, ...options } = all;
      const topics = topicsOf(all);
      const realtimes = Array.from({ length: instances }, () =>
        createRealtime({
          database: databaseUrl,
          authenticate: authenticateBy(all),
          ...(topics.length > 0 && !options.askInSql ? { authorizeTopic: () => true } : {}),
          ...(options.sweepInterval ? { sweepInterval: options.sweepInterval } : {}),
          ...(options.pruneInterval ? { pruneInterval: options.pruneInterval } : {}),
          ...(options.errorsOnly ? { logger: { ...stderrLogger, warn() {} } } : {}),
          ...(options.historyEvents ? { historyEvents: options.historyEvents } : {}),
          ...(hooks ? { onReceive: (event) => event, beforeSend: (event) => event } : {}),
        }),
      );
      for (const realtime of realtimes) await realtime.start();
      let next = 0;
      const answer = (request: IncomingMessage, response: ServerResponse) => {
        next = (next + 1) % instances;
        realtimes[next]!.handler(request, response);
      };
      const served = await serve(transport, answer, perConnection > 1);
      proxy = served.proxy;
      stop = async () => {
        served.close();
        for (const realtime of realtimes) await realtime.stop();
      };
      return {
        port: served.port,
        path: `/realtime/sse/?user=USER${topics.map((topic) => `&topic=${topic}`).join('')}`,
        protocol: served.protocol,
        perConnection,
      };
    },
  };
}
