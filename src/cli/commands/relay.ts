import { type Command, Option } from 'commander';
import { printPermissions } from '../../relay/permissions.js';
import { DATABASE_ENVIRONMENT, databaseOption, subcommand } from '../command.js';
import { UsageError } from '../failure.js';
import { relayOf, relayOptions } from '../relay-options.js';
import { servingOptions } from '../serving-options.js';
import { type ServeOptions, serve } from './serve.js';

interface RelayCommandOptions extends ServeOptions {
  printPermissions?: boolean;
}

export function relayCommand(program: Command): void {
  const command = subcommand(program, 'relay', 'bring events into a relay on NATS, for edges')
    .description(
      'Brings the events of the database into a relay on NATS JetStream, from which any number of edges (djr serve --relay) ' +
        'serve browsers without a connection to the database; it serves browsers as well, as djr serve does. Run two or more: one ' +
        'writes, and another takes over within 2 s when it ends or hangs.',
    )
    .addOption(databaseOption())
    .addOption(
      new Option('--print-permissions', "print nats-server's configuration of the users of sources and edges, and end"),
    );
  relayOptions(command, 'the nats-servers, of which each source and edge needs to reach one');
  servingOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ djr relay --relay nats://10.0.0.5:4222,nats://10.0.0.6:4222,nats://10.0.0.7:4222
  $ djr relay --print-permissions > /etc/nats/djr.conf
  $ djr relay --relay nats://djr_default_source:secret@10.0.0.5:4222 --port 8001

Environment:
${DATABASE_ENVIRONMENT}
  NO_COLOR              set: no colours in the log`,
    )
    .action(run);
}

async function run(flags: RelayCommandOptions): Promise<void> {
  if (flags.printPermissions) {
    process.stdout.write(printPermissions(flags.relayNamespace ?? 'default'));
    return;
  }
  const relay = relayOf(flags);
  if (!relay) throw new UsageError('No nats-server is given.', 'Give one or more: --relay nats://10.0.0.5:4222.');
  await serve(flags, relay, false);
}
