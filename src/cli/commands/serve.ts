import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Command, Option } from 'commander';
import type pg from 'pg';
import type { Logger } from 'pino';
import { createRealtime, type RealtimeOptions, type RelayOptions } from '../../index.js';
import { migrate } from '../../install/migrate.js';
import { resolveOptions } from '../../options.js';
import { startEmbedded } from '../../testing/embedded.js';
import { awaitDatabase } from '../await-database.js';
import { WorkerProcess } from '../cluster/worker.js';
import { Workers } from '../cluster/workers.js';
import { DATABASE_ENVIRONMENT, type DatabaseOptions, databaseConfig, databaseOption, subcommand } from '../command.js';
import { UsageError } from '../failure.js';
import { Lifetime } from '../lifetime.js';
import { close, listen } from '../listen.js';
import { createLogger } from '../logger.js';
import { checkLogin, createLogin, type LoginFlags } from '../login/login.js';
import { type RelayFlags, relayOf, relayOptions } from '../relay-options.js';
import { servingOptions } from '../serving-options.js';

/** The environment variable by which workers learn the address of the PostgreSQL that the first process runs. */
const EMBEDDED_URL = 'DJR_WORKER_DATABASE_URL';

/**
 * Milliseconds within which the headers of a request, and all of it, must come. The request for a stream has come when the stream begins.
 * Node's own limits are one minute and five, checked twice a minute, so a client that never ends its requests could hold many connections.
 */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2000 };

/** Milliseconds within which a worker must end, beside those of `--drain`. */
const END_TIMEOUT = 15_000;

export interface ServeOptions extends DatabaseOptions, LoginFlags, RelayFlags {
  port: number;
  host: string;
  basePath?: string;
  config?: string;
  embedded?: string;
  publicPath?: string;
  allowOrigin?: string[];
  trustProxy?: string[];
  logLevel: string;
  workers: number;
  listen?: string;
  drain: number;
  lifetime?: number;
}

export function serveCommand(program: Command): void {
  const command = subcommand(program, 'serve', 'serve events to browsers')
    .description(
      'Listens to the database and serves its events to browsers as Server-Sent Events, with the browser client beside them. ' +
        "Put it behind the proxy that serves your app, so that it gets the app's cookies, and run as many as you like. Without a " +
        "login or a config everyone is anonymous, and hears no user's events. The database's role needs djr.grant_server.",
    )
    .addOption(databaseOption().conflicts(['embedded', 'relay']))
    .addOption(
      new Option(
        '--embedded <dir>',
        'run PostgreSQL in this process group, with its data in DIR, and migrate it',
      ).conflicts('relay'),
    );
  relayOptions(command, 'serve from a relay on these nats-servers, as an edge without a database (docs/relay.md)');
  command.addOption(
    new Option(
      '--relay-interest <what>',
      'what the edge takes in: all events, or those of its own clients (default: all)',
    ).choices(['all', 'own']),
  );
  servingOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ djr serve --database-url postgres://djr@localhost/app
  $ djr serve --port 3001 --session-cookie sid \\
      --session-sql "select user_id from session where token = $1 and expires > now()"
  $ DJR_JWT_SECRET=… djr serve --jwt-claim user_id --login-required
  $ djr serve --config djr.config.mjs
  $ djr serve --workers 4 --drain 10
  $ djr serve --listen unix:/run/djr/djr.sock
  $ djr serve --embedded .djr/postgres
  $ djr serve --relay nats://10.0.0.5:4222,nats://10.0.0.6:4222,nats://10.0.0.7:4222

A config:
  export default {
    authenticate: async (request) => (await myUser(request))?.id ?? null,
    beforeSend: (event, client) => event,
  };

Then, in a page:
  <script src="http://127.0.0.1:8000/realtime/djr.js"></script>
  <script>
    djr.connect({ endpoint: 'http://127.0.0.1:8000/realtime/sse/' });
    addEventListener('djr:task_complete', (event) => console.log(event.detail));
  </script>

SIGTERM, SIGINT and SIGHUP end the streams, tell clients when to come again, and exit with 0; a second one exits at once.
While PostgreSQL does not answer, serve waits for it. What waiting does not mend ends it with 1, and wrong usage with 2.
A worker that ends is replaced. metrics answers for all workers, with a label worker; healthz and limits are of each.

Environment:
${DATABASE_ENVIRONMENT}
  NO_COLOR              set: no colours in the log`,
    )
    .action((flags: ServeOptions) => serve(flags, relayOf(flags), flags.relay !== undefined));
}

/** @param isEdge - events come from the relay, and there is no database */
export async function serve(flags: ServeOptions, relay: RelayOptions | undefined, isEdge: boolean): Promise<void> {
  const login = checkLogin(flags);
  if (isEdge && login === 'session') {
    throw new UsageError(
      '--session-sql needs a database, and an edge of a relay has none.',
      'Log clients in by a token (--jwt-secret, --jwks-url), or with `authenticate` in a file for --config.',
    );
  }
  const config = flags.config === undefined ? {} : await loadConfig(flags.config);
  if (login && config.authenticate) {
    throw new UsageError(
      `${flags.config} has an \`authenticate\` of its own.`,
      'Give either that or the login options.',
    );
  }
  const log = createLogger(flags.logLevel);
  const lifetime = new Lifetime();

  // Of a config it may be anything; createRealtime refuses what is no path.
  const basePath: unknown = flags.basePath ?? config.basePath;
  const path = (typeof basePath === 'string' ? basePath : '/realtime').replace(/\/*$/, '/');

  await lifetime.run(async () => {
    const found = isEdge ? undefined : await findDatabase(flags, config, lifetime, log);
    const own = found?.own ?? {};
    if (flags.workers > 1 && cluster.isPrimary) {
      const environment: Record<string, string> =
        flags.embedded === undefined ? {} : { [EMBEDDED_URL]: String(own.connectionString) };
      const workers = new Workers({
        count: flags.workers,
        environment,
        logger: log,
        endTimeout: END_TIMEOUT + flags.drain * 1000,
      });
      lifetime.onStop(() => workers.stop());
      process.stdout.write(`listening on ${await workers.start()}${path}\n`);
      return;
    }
    const authenticate = (await createLogin(flags, { database: own, log, lifetime })) ?? config.authenticate;
    if (!authenticate) log.warn('no login is configured: everyone is anonymous, and hears no events of users');

    const options: RealtimeOptions = { logger: log, ...config, ...(authenticate && { authenticate }) };
    if (found) options.database = found.database;
    else delete options.database;
    if (relay) options.relay = relay;
    // The command handles signals itself, after --drain.
    options.stopOn = [];
    if (flags.basePath !== undefined) options.basePath = flags.basePath;
    if (flags.allowOrigin !== undefined) options.allowedOrigins = flags.allowOrigin;
    if (flags.lifetime !== undefined) options.lifetime = flags.lifetime * 1000;
    if (flags.publicPath !== undefined) options.publicPath = flags.publicPath;
    if (flags.trustProxy !== undefined) options.trustProxy = flags.trustProxy;
    const realtime = createRealtime(options);
    const worker = cluster.isWorker ? new WorkerProcess(realtime, path, lifetime) : undefined;
    const server = createServer(LIMITS, worker?.handler ?? realtime.handler);
    if (worker) lifetime.onStop(() => worker.leave());
    lifetime.onStop(() => close(server, () => realtime.stop()));
    await realtime.start();

    const address = await listen(server, flags.listen === undefined ? flags : { socket: flags.listen });
    server.on('error', (err) => log.error({ err }, 'a connection could not be accepted'));
    lifetime.onStop(async () => {
      realtime.drain();
      if (flags.drain > 0) log.info({ seconds: flags.drain }, 'draining: healthz answers 503');
      await setTimeout(flags.drain * 1000);
    });
    if (worker) worker.ready(address);
    else process.stdout.write(`listening on ${address}${path}\n`);
  });
}

/** Finds the database: the option for the runtime, and the configuration of the command's own connection to it. */
async function findDatabase(
  flags: ServeOptions,
  config: Partial<RealtimeOptions>,
  lifetime: Lifetime,
  log: Logger,
): Promise<{ database: NonNullable<RealtimeOptions['database']>; own: pg.PoolConfig }> {
  const ofFirst = process.env[EMBEDDED_URL];
  if (flags.embedded !== undefined && cluster.isWorker && ofFirst) {
    const own = databaseConfig({ databaseUrl: ofFirst });
    return { database: own, own };
  }
  if (flags.embedded !== undefined) {
    const server = await startEmbedded({ directory: flags.embedded });
    lifetime.onStop(() => server.dispose());
    await migrate(server.url);
    process.stdout.write(`database ${server.url}\n`);
    const own = databaseConfig({ databaseUrl: server.url });
    return { database: own, own };
  }
  const database = flags.databaseUrl === undefined ? (config.database ?? databaseConfig(flags)) : databaseConfig(flags);
  const own = ownConfig(database);
  await awaitDatabase(own, log);
  return { database, own };
}

/** The configuration of the command's own connection. Of `{ listen, pool }` it uses `listen`, which is always an address, while a pool may be an object of the app. */
function ownConfig(database: NonNullable<RealtimeOptions['database']>): pg.PoolConfig {
  const { listen: address } = resolveOptions({ database });
  return typeof address === 'string' ? { connectionString: address } : address;
}

async function loadConfig(file: string): Promise<Partial<RealtimeOptions>> {
  const url = pathToFileURL(resolve(file)).href;
  let module: { default?: unknown };
  try {
    module = await import(url);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    if (missing && cause.message.includes(resolve(file)))
      throw new UsageError(`There is no file ${file}.`, 'Correct --config.');
    throw new Error(`${file} failed to load: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  if (typeof module.default !== 'object' || module.default === null) {
    throw new UsageError(`${file} has no default export with options.`, 'Write: export default { authenticate: … };');
  }
  return module.default;
}
