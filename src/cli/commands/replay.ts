import type { Command } from 'commander';
import { fromPostgres } from '../../postgres/schema-error.js';
import { select } from '../../postgres/select.js';
import {
  DATABASE_ENVIRONMENT,
  type DatabaseOptions,
  databaseConfig,
  databaseOption,
  subcommand,
  wholeNumber,
} from '../command.js';
import { withClient } from '../database.js';
import { Progress } from '../progress.js';

export function replayCommand(program: Command): void {
  subcommand(program, 'replay', 'send stored events again')
    .description(
      'Sends stored events again, each as a new event that names the first in replay_of, and prints the new ids. All or none.',
    )
    .argument('<ids...>', 'ids of events', (text: string, ids: number[] = []) => [
      ...ids,
      wholeNumber(text, { min: 1 }),
    ])
    .addOption(databaseOption())
    .addHelpText(
      'after',
      `
Examples:
  $ djr replay 1042
  $ djr replay 1042 1043 1044

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

/** Ids in one statement; all statements are in one transaction. */
const BATCH = 500;

async function run(ids: number[], options: DatabaseOptions): Promise<void> {
  const replayed = await withClient(databaseConfig(options), async (client) => {
    const progress = new Progress('events sent again', ids.length);
    const all: { id: string }[] = [];
    try {
      await client.query('begin');
      for (let from = 0; from < ids.length; from += BATCH) {
        progress.update(from);
        const batch = ids.slice(from, from + BATCH);
        all.push(
          ...(await select<{ id: string }>(client, 'select djr.replay($1::bigint[])::pg_catalog.text as id', [batch])),
        );
      }
      await client.query('commit');
      return all;
    } catch (error) {
      throw fromPostgres(error);
    } finally {
      progress.stop();
    }
  });
  process.stdout.write(`${replayed.map(({ id }) => id).join('\n')}\n`);
}
