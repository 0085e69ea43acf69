import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type pg from 'pg';
import type { Logger } from 'pino';
import { ALLOWABLE, isAllowable } from '../../http/guards/origin.js';
import { isProxy } from '../../http/guards/trusted-proxies.js';
import { createRealtime, type RealtimeOptions, type RelayOptions } from '../../index.js';
import { migrate } from '../../install/migrate.js';
import { resolveOptions } from '../../options.js';
import { startEmbedded } from '../../testing/embedded.js';
import { awaitDatabase } from '../await-database.js';
import { WorkerProcess } from '../cluster/worker.js';
import { Workers } from '../cluster/workers.js';
import {
  DATABASE_ENVIRONMENT,
  type DatabaseOptions,
  databaseConfig,
  databaseOption,
  hostOption,
  portOption,
  subcommand,
  wholeNumber,
} from '../command.js';
import { UsageError } from '../failure.js';
import { Lifetime } from '../lifetime.js';
import { close, listen } from '../listen.js';
import { createLogger, LOG_LEVELS } from '../logger.js';
import { checkLogin, createLogin, type LoginFlags, loginOptions } from '../login/login.js';
import { type RelayFlags, relayOf, relayOptions } from '../relay-options.js';

/** Where the first process's own PostgreSQL is. */
const EMBEDDED_URL = 'DJR_WORKER_DATABASE_URL';

/**
 * Milliseconds in which a request's headers, and all of it, have to come. A stream's request has come when it begins. Node's
 * own limits are a minute and five, looked at twice a minute: who never ends a request could hold many connections.
 */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 2000 };

/** Milliseconds in which a worker has to end, beside those of `--drain`. */
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

/** How to listen, and who may come: what `serve` and `relay` have in common. */
export function servingOptions(command: Command): Command {
  command
    .addOption(portOption())
    .addOption(hostOption())
    .addOption(
      new Option('--listen <unix:path>', 'listen on a Unix socket instead: unix:/run/djr/djr.sock')
        .argParser(socketPath)
        .conflicts(['port', 'host']),
    )
    .addOption(new Option('--base-path <path>', 'where the routes are (default: /realtime)').argParser(basePath))
    .addOption(
      new Option('--public-path <path>', 'the same as browsers see it, where a proxy cuts a part of it off').argParser(
        basePath,
      ),
    )
    .addOption(new Option('--allow-origin <origin...>', 'pages of these origins may connect too').argParser(origins))
    .addOption(
      new Option(
        '--trust-proxy <address...>',
        'whose X-Forwarded headers are believed: 10.0.0.0/8, ::1, unix',
      ).argParser(proxies),
    )
    .addOption(
      new Option('--workers <number>', 'processes that share the port, each an instance with connections of its own')
        .default(1)
        .argParser((text) => wholeNumber(text, { min: 1, max: 64 })),
    )
    .addOption(
      new Option(
        '--drain <seconds>',
        'on SIGTERM answer 503 to healthz for so long, and serve on; then end. As long as your load balancer takes to notice',
      )
        .default(0)
        .argParser((text) => wholeNumber(text, { max: 3600 })),
    )
    .addOption(
      new Option(
        '--lifetime <seconds>',
        'end each stream after so long, so that it is opened anew elsewhere; 0: never',
      ).argParser((text) => wholeNumber(text, { max: 2_000_000 })),
    )
    .option('--config <file>', 'a module whose default export is the options of createRealtime')
    .addOption(
      new Option('--log-level <level>', 'what to log, to stderr')
        .env('DJR_LOG_LEVEL')
        .choices(LOG_LEVELS)
        .default('info'),
    );
  return loginOptions(command);
}

export function serveCommand(program: Command): void {
  const command = subcommand(program, 'serve', 'serve events to browsers')
    .description(
      'Listens to the database and serves its events to browsers as Server-Sent Events, with the browser client beside them. ' +
        "Put it behind the proxy that serves your app, so that it gets the app's cookies, and run as many as you like. Without a " +
        "login or a config everyone is anonymous, and gets public events only. The database's role needs djr.grant_server.",
    )
    .addOption(databaseOption().conflicts(['embedded', 'relay']))
    .addOption(
      new Option(
        '--embedded <dir>',
        'run PostgreSQL in this process group, with its data in DIR, and migrate it',
      ).conflicts('relay'),
    );
  relayOptions(command, 'serve from a relay on these nats-servers, as an edge without a database (docs/relay.md)');
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

  const path = (flags.basePath ?? config.basePath ?? '/realtime').replace(/\/*$/, '/');

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
    if (!authenticate) log.warn('no login is configured: everyone is anonymous, and gets public events only');

    const options: RealtimeOptions = { logger: log, ...config, ...(authenticate && { authenticate }) };
    if (found) options.database = found.database;
    else delete options.database;
    if (relay) options.relay = relay;
    // It ends by signals of its own, behind --drain.
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

function basePath(text: string): string {
  if (/^(\/[\w.~-]+)*\/?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a path like /realtime.');
}

function socketPath(text: string): string {
  const path = /^unix:(.+)$/.exec(text)?.[1];
  if (path) return resolve(path);
  throw new InvalidArgumentError('It must be unix: and a path, like unix:/run/djr/djr.sock.');
}

function origins(text: string, before: string[] = []): string[] {
  if (isAllowable(text)) return [...before, text];
  throw new InvalidArgumentError(`It must be ${ALLOWABLE}.`);
}

function proxies(text: string, before: string[] = []): string[] {
  if (isProxy(text)) return [...before, text];
  throw new InvalidArgumentError('It must be an address, a network like 10.0.0.0/8, or unix.');
}

/** What the runtime gets, and what a connection of our own to the same database gets. */
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

/** `{ listen, pool }` names two ways to one database; what listens is always an address, where a pool may be the app's. */
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
