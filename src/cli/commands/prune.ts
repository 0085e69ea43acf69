import { type Command, Option } from 'commander';
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
import { UsageError } from '../failure.js';
import { Progress } from '../progress.js';

interface PruneOptions extends DatabaseOptions {
  olderThan?: string;
  batch: number;
}

export function pruneCommand(program: Command): void {
  subcommand(program, 'prune', 'delete events past the retention')
    .description(
      'Deletes events past the retention, or older than --older-than, in short transactions, and prints how many.',
    )
    .addOption(databaseOption())
    .option('--older-than <interval>', "an interval of PostgreSQL's, e.g. '30 days' (default: the setting retention)")
    .addOption(
      new Option('--batch <number>', 'events a transaction')
        .default(5000)
        .argParser((text) => wholeNumber(text, { min: 1, max: 1_000_000 })),
    )
    .addHelpText(
      'after',
      `
A client that comes back from before what was pruned is told reset. The runtime prunes by itself when a retention is set:
  select djr.configure(retention => '30 days');

Examples:
  $ djr prune
  $ djr prune --older-than '7 days'

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

/** Counts the events that are to be deleted; more may pass the retention meanwhile. */
const PAST = `
  select pg_catalog.count(*) as count from djr.event
   where created_at operator(pg_catalog.<)
         (pg_catalog.clock_timestamp() operator(pg_catalog.-) coalesce($1::interval, (select retention from djr.settings)))`;

async function run(options: PruneOptions): Promise<void> {
  let stop = () => {};
  const total = await withClient(databaseConfig(options), async (client) => {
    try {
      if (options.olderThan === undefined) {
        const [settings] = await select<{ kept: boolean }>(
          client,
          'select retention is null as kept from djr.settings',
        );
        if (settings?.kept !== false) {
          throw new UsageError(
            'No retention is set.',
            "Give --older-than '30 days', or set one: select djr.configure(retention => '30 days').",
          );
        }
      }
      const [past] = await select<{ count: number }>(client, PAST, [options.olderThan ?? null]);
      const progress = new Progress('events deleted', past!.count);
      stop = () => progress.stop();
      let deleted = 0;
      for (let batch = options.batch; batch === options.batch; deleted += batch) {
        progress.update(deleted);
        const [row] = await select<{ pruned: number }>(
          client,
          'select djr.prune_batch($1::interval, $2::integer) as pruned',
          [options.olderThan ?? null, options.batch],
        );
        batch = row!.pruned;
      }
      return deleted;
    } catch (error) {
      throw isBadInterval(error)
        ? new UsageError(`--older-than ${options.olderThan} is no interval.`, "Write it as '30 days' or '12 hours'.")
        : fromPostgres(error);
    } finally {
      stop();
    }
  });
  process.stdout.write(`${total}\n`);
}

const isBadInterval = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === '22007' || error.code === '22008');
