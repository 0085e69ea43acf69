import type { Command } from 'commander';
import { type ConsumerRow, readConsumers } from '../../consume/consumer-list.js';
import { requireSchema } from '../../install/schema.js';
import { DATABASE_ENVIRONMENT, type DatabaseOptions, databaseConfig, databaseOption, subcommand } from '../command.js';
import { withClient } from '../database.js';
import { defuse } from '../format.js';
import { table } from '../table.js';

interface ConsumersOptions extends DatabaseOptions {
  json?: boolean;
}

export function consumersCommand(program: Command): void {
  subcommand(program, 'consumers', 'show consumers, and how far behind each is')
    .description(
      'Shows the consumers of the database: how many events each has not had yet (counted up to 100,000), for how long the oldest of them has been there, and whether it was overtaken by pruning.',
    )
    .addOption(databaseOption())
    .option('--json', 'a JSON object a line')
    .addHelpText(
      'after',
      `
Examples:
  $ djr consumers
  $ djr consumers --json | jq -r 'select(.overtaken) | .name'

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(options: ConsumersOptions): Promise<void> {
  const consumers = await withClient(databaseConfig(options), async (client) => {
    await requireSchema(client);
    return readConsumers(client);
  });
  const lines = consumers.map((one) => `${JSON.stringify(one)}\n`).join('');
  process.stdout.write(options.json ? lines : formatConsumers(consumers));
}

const list = (names: string[] | null): string => (names === null ? 'all' : names.map(defuse).join(' '));

function formatConsumers(consumers: ConsumerRow[]): string {
  if (consumers.length === 0) return "no consumer; to make one: select djr.create_consumer('billing')\n";
  const shown = table(
    ['CONSUMER', 'LAG', 'AGE S', 'TYPES', 'TOPICS', 'MOVED', ''],
    consumers.map(({ name, lag, age, types, topics, moved_at, overtaken }) => [
      defuse(name),
      lag,
      age === null ? '-' : age.toFixed(1),
      list(types),
      list(topics),
      moved_at?.toISOString().slice(0, 19) ?? '-',
      overtaken === null ? '' : 'overtaken',
    ]),
  );
  const overtaken = consumers.filter((one) => one.overtaken !== null);
  const told = overtaken.map(({ name, overtaken }) => `${defuse(name)} must be reset: ${overtaken}\n`);
  return [shown, ...told].join('');
}
