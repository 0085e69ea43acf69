/** One runtime in a process of its own, so that SIGKILL is real. Arguments: database URI or nothing, port, options as JSON. */
import { createServer } from 'node:http';
import { createRealtime, type Logger, type RealtimeOptions } from '../../src/index.js';
import { roomOf } from './verdict.js';

const [database, port, options] = process.argv.slice(2);
const report = (level: string) => (context: object, message: string) => {
  const reason = 'err' in context && context.err instanceof Error ? `: ${context.err.message}` : '';
  process.send?.({ log: `${level}: ${message}${reason}` });
};
const logger: Logger = { debug() {}, info: report('info'), warn: report('warn'), error: report('error') };
const realtime = createRealtime({
  ...(database ? { database } : {}),
  logger,
  authenticate: (request) => new URL(request.url).searchParams.get('user'),
  authorizeTopic: (userId, topic) => userId !== null && topic === roomOf(userId),
  ...(JSON.parse(options ?? '{}') as RealtimeOptions),
});
const server = createServer((req, res) => realtime.handler(req, res));
server.listen(Number(port), '127.0.0.1', () => process.send?.({ listening: true }));
// The first request starts it; from then on it is there without one.
realtime.start().catch((err: unknown) => report('error')({ err }, 'start failed'));

process.once('SIGTERM', () => {
  server.close();
  void realtime.stop().then(() => process.exit(0));
});
// Whoever started us is gone, killed perhaps.
process.once('disconnect', () => process.exit(1));
