import { type Command, Option } from 'commander';
import { SCOPES } from '../../event/audience.js';
import type { Event, Scope } from '../../index.js';
import { createRealtime } from '../../index.js';
import {
  DATABASE_ENVIRONMENT,
  type DatabaseOptions,
  databaseConfig,
  databaseOption,
  subcommand,
  wholeNumber,
} from '../command.js';
import { checkDatabase } from '../database.js';
import { formatEvent, formatJson } from '../format.js';
import { Lifetime } from '../lifetime.js';

interface TailOptions extends DatabaseOptions {
  type?: string[];
  user?: string[];
  topic?: string[];
  scope?: Scope[];
  json?: boolean;
  count?: number;
}

export function tailCommand(program: Command): void {
  subcommand(program, 'tail', 'print events as they happen')
    .description(
      'Prints events as they happen, one a line, until Ctrl-C: time, id, scope with user or topic, type, detail. Private data is not ' +
        'shown. It listens as an instance does, and takes nothing away from anyone. The role needs what djr.grant_server gives.',
    )
    .addOption(databaseOption())
    .option('-t, --type <type...>', 'only these types')
    .option('-u, --user <id...>', 'only events of these users')
    .option('--topic <name...>', 'only events of these topics')
    .addOption(new Option('-s, --scope <scope...>', 'only these scopes').choices(Object.keys(SCOPES)))
    .option('--json', 'print each event as a JSON object')
    .addOption(
      new Option('-n, --count <number>', 'end after so many events').argParser((value) =>
        wholeNumber(value, { min: 1 }),
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ djr tail
  $ djr tail --type order_changed --user 42
  $ djr tail --topic room:7
  $ djr tail --json --scope system | jq .detail
  $ djr tail --type import_finished --count 1 && say done

Environment:
${DATABASE_ENVIRONMENT}
  NO_COLOR              set: no colours`,
    )
    .action(run);
}

async function run(options: TailOptions): Promise<void> {
  const config = databaseConfig(options);
  await checkDatabase(config);
  const lifetime = new Lifetime();
  const colour = process.stdout.isTTY && !process.env.NO_COLOR;
  let left = options.count ?? Number.POSITIVE_INFINITY;

  await lifetime.run(async () => {
    // No history is kept, as no client resumes from this instance.
    const realtime = createRealtime({ database: config, historyEvents: 0 });
    lifetime.onStop(() => realtime.stop());
    process.stdout.on('error', () => lifetime.end());
    await realtime.start();
    realtime.subscribe((event) => {
      if (left <= 0 || !wanted(event, options)) return;
      process.stdout.write(`${options.json ? formatJson(event) : formatEvent(event, colour)}\n`);
      if (--left === 0) lifetime.end();
    });
    process.stderr.write('listening for events; Ctrl-C ends\n');
  });
}

function wanted(event: Event, { type, user, topic, scope }: TailOptions): boolean {
  return (
    (!type || type.includes(event.type)) &&
    (!user || (event.userId !== null && user.includes(event.userId))) &&
    (!topic || (event.topic !== null && topic.includes(event.topic))) &&
    (!scope || scope.includes(event.scope))
  );
}
