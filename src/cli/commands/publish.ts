import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { fromPostgres } from '../../postgres/schema-error.js';
import { select } from '../../postgres/select.js';
import { DATABASE_ENVIRONMENT, type DatabaseOptions, databaseConfig, databaseOption, subcommand } from '../command.js';
import { withClient } from '../database.js';
import { UsageError } from '../failure.js';

interface PublishOptions extends DatabaseOptions {
  user?: string;
  topic?: string;
  public?: boolean;
  /** Another name of `public`. */
  global?: boolean;
  system?: boolean;
  private?: string;
  key?: string;
  /** Whether the event is stored; false with `--no-store`. */
  store: boolean;
}

export function publishCommand(program: Command): void {
  subcommand(program, 'publish', 'publish one event and print its id')
    .description('Publishes one event, as `select djr.publish(...)` does, and prints its id.')
    .argument('<type>', 'the type; the browser gets it as the DOM event djr:TYPE')
    .argument('[detail]', 'a JSON object; - reads it from standard input', '{}')
    .addOption(databaseOption())
    .addOption(new Option('-u, --user <id>', 'to this user').argParser(userId))
    .addOption(
      new Option('-t, --topic <name>', 'to the clients that may hear this topic').conflicts([
        'user',
        'public',
        'global',
        'system',
      ]),
    )
    .option('-g, --public', 'to every connected client')
    .addOption(new Option('--global', 'the same').hideHelp())
    .addOption(
      new Option('-s, --system', 'to backend subscribers only; with --user, about that user').conflicts([
        'public',
        'global',
      ]),
    )
    .option('--private <json>', 'stored with the event, never sent')
    .option('--key <text>', 'publish once: a second time under the same key sends nothing and prints the first id')
    .option(
      '--no-store',
      'by NOTIFY alone, without a row: to whoever is connected now; prints nothing where it was dropped',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ djr publish task_complete '{"task_id": 123}' --user 42
  $ djr publish maintenance '{"minutes": 5}' --public --key maintenance-2026-01-01
  $ djr publish message '{"text": "hello"}' --topic room:7
  $ djr publish cache_stale --system
  $ djr publish typing '{"name": "Ann"}' --topic room:7 --no-store
  $ jq -c .order order.json | djr publish order_changed - --user 42

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(type: string, detail: string, given: PublishOptions): Promise<void> {
  const options = { ...given, public: given.public || given.global };
  if (options.user === undefined && options.topic === undefined && !options.public && !options.system) {
    throw new UsageError('Nobody is named to publish to.', 'Give --user ID, --topic NAME, --public or --system.');
  }
  if (options.user !== undefined && options.public) {
    throw new UsageError('--user and --public do not go together.', 'Give one of them.');
  }
  const json = requireJson('DETAIL', detail === '-' ? await text(process.stdin) : detail);
  const privateData = options.private === undefined ? null : requireJson('--private', options.private);
  const config = databaseConfig(options);

  // The database checks everything else about an event. It gets the detail as it was typed, as parsing it here would round large numbers.
  const name = options.topic ?? options.user ?? null;
  const values = [type, json, privateData, options.key ?? null, ...(options.public ? [] : [name])];
  const id = await withClient(config, async (client) => {
    try {
      return (await select<{ id: string | null }>(client, statement(options), values))[0]!.id;
    } catch (error) {
      throw fromPostgres(error);
    }
  });
  if (id === null && options.store) process.stderr.write('not published: a trigger on djr.event kept the row out\n');
  else if (id === null) process.stderr.write('dropped: too many events without a row come while delivery sweeps\n');
  else process.stdout.write(`${id}\n`);
}

function statement({ public: everyone, store, system, topic }: PublishOptions): string {
  const rest = `$1::pg_catalog.text, $2::pg_catalog.jsonb, private_data => $3::pg_catalog.jsonb, key => $4::pg_catalog.text${
    store ? '' : ', store => false'
  }`;
  if (topic !== undefined) return `select djr.publish_topic($5::pg_catalog.text, ${rest})::pg_catalog.text as id`;
  if (everyone) return `select djr.publish_public(${rest})::pg_catalog.text as id`;
  if (system) return `select djr.publish_system(${rest}, user_id => $5::pg_catalog.text)::pg_catalog.text as id`;
  return `select djr.publish($5::pg_catalog.text, ${rest})::pg_catalog.text as id`;
}

function userId(text: string): string {
  if (text !== '' && !text.startsWith('--')) return text;
  // As in `--user $ID --system` with an empty ID.
  throw new UsageError(
    `--user must be followed by a user's id (it is ${text === '' ? 'empty' : text}).`,
    'Is the variable that should hold it set? For every client use --public.',
  );
}

function requireJson(name: string, value: string): string {
  try {
    JSON.parse(value);
    return value;
  } catch {
    throw new UsageError(`${name} is not JSON.`, `Write an object, in quotes for the shell: '{"task_id": 123}'.`);
  }
}
