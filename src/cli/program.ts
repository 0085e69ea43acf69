import { Command } from 'commander';
import { VERSION } from '../lib/version.js';
import { benchCommand } from './commands/bench.js';
import { consumersCommand } from './commands/consumers.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { migrateCommand } from './commands/migrate.js';
import { pruneCommand } from './commands/prune.js';
import { publishCommand } from './commands/publish.js';
import { relayCommand } from './commands/relay.js';
import { replayCommand } from './commands/replay.js';
import { serveCommand } from './commands/serve.js';
import { statsCommand } from './commands/stats.js';
import { tailCommand } from './commands/tail.js';
import { UsageError } from './failure.js';

/** Variables that count as not set if they are empty, as after `PORT=` in a shell or in a compose file. */
const MAY_BE_EMPTY = ['PORT', 'DJR_LOG_LEVEL'];

/**
 * Refuses an empty value, as in `--database-url "$PROD_URL"` with a variable that is not set: another database would be taken, the server
 * would listen on every address, or the issuer of a token would not be checked. An option with a parser of its own checks its value there.
 *
 * @throws UsageError
 */
function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const key = option.attributeName();
    if (option.parseArg || command.getOptionValueSource(key) !== 'cli') continue;
    if (![command.getOptionValue(key)].flat().includes('')) continue;
    throw new UsageError(`${option.long} must not be empty.`, 'Is the variable that should hold its value set?');
  }
}

/** The command `djr` with all its subcommands, ready to parse. */
export function createProgram(): Command {
  for (const name of MAY_BE_EMPTY) if (process.env[name] === '') delete process.env[name];
  const program = new Command('djr')
    .description(
      'Realtime for any app on PostgreSQL: SELECT djr.publish(...), and the browser gets a DOM event a few milliseconds later.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand('help [command]', 'explain a command')
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('Run `djr help`, or `djr COMMAND --help`, for what there is.')
    .exitOverride()
    .hook('preAction', (_, command) => refuseEmpty(command));

  for (const define of [
    demoCommand,
    migrateCommand,
    serveCommand,
    relayCommand,
    publishCommand,
    tailCommand,
    replayCommand,
    pruneCommand,
    doctorCommand,
    statsCommand,
    consumersCommand,
    benchCommand,
  ])
    define(program);

  return program.addHelpText(
    'after',
    `
From nothing to a chat room:
  $ npx djr demo

Into the database of an app that you have:
  $ export DATABASE_URL=postgres://app@localhost/app
  $ djr migrate
  $ djr serve
  $ psql "$DATABASE_URL" -c "select djr.publish_public('hello', '{\\"from\\": \\"psql\\"}')"

Environment:
  DATABASE_URL          the database, where --database-url is not given
  PGHOST, PGDATABASE …  libpq's variables, where neither is

Exit status: 0 done, 1 failed, 2 wrong usage.`,
  );
}
