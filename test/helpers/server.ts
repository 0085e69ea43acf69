import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { createRealtime, type Logger, type Realtime, type RealtimeOptions } from '../../src/index.js';
import { createDatabase, type TestDatabase } from './database.js';
import { openStream, type Stream, type StreamOptions } from './stream.js';

/** A plain node:http server with djr in it. */
export interface TestServer {
  readonly http: Server;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Opens a stream; `path` is what comes behind `/realtime/sse/`. */
  stream(query?: string, options?: StreamOptions): Promise<Stream>;
  /** Opens a stream as this user, to whom {@link byHeader} gives it. */
  streamOf(user: string, query?: string, options?: StreamOptions): Promise<Stream>;
}

/** The login of the tests: the header `x-user`. */
export const byHeader = (request: Request): string | null => request.headers.get('x-user');

/** Listens on a free port until the test ends. */
export async function listen(t: Pick<ExecutionContext, 'teardown'>, handler: RequestListener): Promise<TestServer> {
  const http = createServer(handler);
  // A thousand clients may come at once.
  await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  t.teardown(() => {
    http.closeAllConnections();
    http.close();
  });
  const stream = (query = '', options?: StreamOptions) => openStream(t, `${origin}/realtime/sse/${query}`, options);
  return {
    http,
    origin,
    stream,
    streamOf: (user, query, options) => stream(query, { ...options, headers: { 'x-user': user, ...options?.headers } }),
  };
}

/** Serves a realtime, which is stopped when the test ends. */
export async function startServer(t: Pick<ExecutionContext, 'teardown'>, realtime: Realtime): Promise<TestServer> {
  const server = await listen(t, (req, res) => realtime.handler(req, res));
  t.teardown(() => realtime.stop());
  return server;
}

/** One line of a log, as a test looks at it. */
export interface LogLine {
  level: keyof Logger;
  message: string;
  context: Record<string, unknown>;
}

export function recordingLogger(): { logger: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = (level: keyof Logger) => (context: object, message: string) => {
    lines.push({ level, message, context: context as Record<string, unknown> });
  };
  return { logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }, lines };
}

/** A database, a runtime on it that logs to `lines`, and a server with it. */
export interface TestApp extends TestServer {
  readonly db: TestDatabase;
  readonly realtime: Realtime;
  readonly lines: LogLine[];
}

/**
 * Starts an app that most tests want.
 *
 * @param db - shares the database of another one, as a second instance.
 */
export async function startApp(
  t: Pick<ExecutionContext, 'teardown'>,
  options: RealtimeOptions = {},
  db?: TestDatabase,
): Promise<TestApp> {
  const own = db ?? (await createDatabase(t));
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({
    database: own.url,
    authenticate: byHeader,
    logger,
    shutdownGrace: 2000,
    ...options,
  });
  const server = await startServer(t, realtime);
  await realtime.start();
  return { ...server, db: own, realtime, lines };
}

/** Waits for what no stream tells of; says what it waited for when that never comes, before ava ends the run without a word. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, seconds = 100): Promise<void> {
  const end = performance.now() + seconds * 1000;
  // Looking again and again costs the processor that the others wait for, most of all where a page is asked.
  for (let pause = 5; !(await condition()); pause = Math.min(100, pause * 1.5)) {
    if (performance.now() > end) throw new Error(`Waited ${seconds} s in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
