import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { fromPostgres } from '../../errors.js';
import { DATABASE_ENVIRONMENT, type DatabaseOptions, databaseConfig, databaseOption, subcommand } from '../command.js';
import { withClient } from '../database.js';
import { UsageError } from '../failure.js';

interface PublishOptions extends DatabaseOptions {
  user?: string;
  topic?: string;
  global?: boolean;
  system?: boolean;
  private?: string;
  key?: string;
}

export function publishCommand(program: Command): void {
  subcommand(program, 'publish', 'publish one event and print its id')
    .description('Publishes one event, as `select djr.publish(...)` does, and prints its id.')
    .argument('<type>', 'the type; the browser gets it as the DOM event djr:TYPE')
    .argument('[detail]', 'a JSON object; - reads it from standard input', '{}')
    .addOption(databaseOption())
    .option('-u, --user <id>', 'to this user')
    .addOption(
      new Option('-t, --topic <name>', 'to the clients that may hear this topic').conflicts([
        'user',
        'global',
        'system',
      ]),
    )
    .option('-g, --global', 'to every connected client')
    .addOption(
      new Option('-s, --system', 'to backend subscribers only; with --user, about that user').conflicts('global'),
    )
    .option('--private <json>', 'stored with the event, never sent')
    .option('--key <text>', 'publish once: a second time under the same key sends nothing and prints the first id')
    .addHelpText(
      'after',
      `
Examples:
  $ djr publish task_complete '{"task_id": 123}' --user 42
  $ djr publish maintenance '{"minutes": 5}' --global --key maintenance-2026-01-01
  $ djr publish message '{"text": "hello"}' --topic room:7
  $ djr publish cache_stale --system
  $ jq -c .order order.json | djr publish order_changed - --user 42

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(type: string, detail: string, options: PublishOptions): Promise<void> {
  if (options.user === undefined && options.topic === undefined && !options.global && !options.system) {
    throw new UsageError('Nobody is named to publish to.', 'Give --user ID, --topic NAME, --global or --system.');
  }
  if (options.user !== undefined && options.global) {
    throw new UsageError('--user and --global do not go together.', 'Give one of them.');
  }
  const json = requireJson('DETAIL', detail === '-' ? await text(process.stdin) : detail);
  const privateData = options.private === undefined ? null : requireJson('--private', options.private);
  const config = databaseConfig(options);

  // Everything else about an event is for the database to judge. It gets the text as it was given: to parse it here would
  // round its large numbers.
  const values = [
    type,
    json,
    privateData,
    options.key ?? null,
    ...(options.global ? [] : [options.topic ?? options.user ?? null]),
  ];
  const id = await withClient(config, async (client) => {
    try {
      return (await client.query<{ id: string }>(statement(options), values)).rows[0]!.id;
    } catch (error) {
      throw fromPostgres(error);
    }
  });
  process.stdout.write(`${id}\n`);
}

function statement({ topic, global, system }: PublishOptions): string {
  const rest = '$1::text, $2::jsonb, private_data => $3::jsonb, key => $4::text';
  if (topic !== undefined) return `select djr.publish_topic($5::text, ${rest}) as id`;
  if (global) return `select djr.publish_global(${rest}) as id`;
  if (system) return `select djr.publish_system(${rest}, user_id => $5::text) as id`;
  return `select djr.publish($5::text, ${rest}) as id`;
}

function requireJson(name: string, value: string): string {
  try {
    JSON.parse(value);
    return value;
  } catch {
    throw new UsageError(`${name} is not JSON.`, `Write an object, in quotes for the shell: '{"task_id": 123}'.`);
  }
}
