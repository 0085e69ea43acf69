import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { migrate, printMigrations, uninstall } from '../../install/migrate.js';
import { asTransaction } from '../../install/printed-migrations.js';
import {
  DATABASE_ENVIRONMENT,
  type DatabaseOptions,
  databaseConfig,
  databaseOption,
  subcommand,
  wholeNumber,
} from '../command.js';
import { UsageError } from '../failure.js';

interface MigrateOptions extends DatabaseOptions {
  dryRun?: boolean;
  print?: boolean;
  from?: string;
  uninstall?: boolean;
  yes?: boolean;
  lockTimeout: number;
}

export function migrateCommand(program: Command): void {
  subcommand(program, 'migrate', 'install djr in a database, or bring it up to date')
    .description(
      'Installs djr in a database, or brings it up to date: all of it lives in the schema "djr", and nothing outside of that ' +
        'is touched. Run it at each deploy: with nothing to do it does nothing, and several at once wait for one another. ' +
        'It needs a role that may create a schema; no superuser, and no extension. It refuses a schema "djr" that another ' +
        'role owns, or in which another role owns something. Who has a right to it afterwards is who was granted one with ' +
        'djr.grant_publish or djr.grant_server, and nobody else.',
    )
    .addOption(databaseOption())
    .option('--dry-run', 'print the SQL that would be run, and change nothing')
    .option('--print', 'print the SQL for those who run their own migrations, one transaction; needs no database')
    .option('--from <migration>', 'with --print: what an upgrade from this migration adds; its name, or its number')
    .option('--uninstall', 'drop the schema "djr" with all its events, after asking')
    .option(
      '--lock-timeout <seconds>',
      'how long to wait for a lock, another migration among what holds one',
      (text) => wholeNumber(text, { min: 1, max: 86_400 }),
      30,
    )
    .option('-y, --yes', 'with --uninstall: do not ask')
    .addHelpText(
      'after',
      `
Examples:
  $ djr migrate --database-url postgres://app@localhost/app
  $ djr migrate --dry-run
  $ djr migrate --print > db/migrate/20260101_djr.sql     for Rails, Django, Flyway or psql
  $ djr migrate --print --from 000001 | psql
  $ djr migrate --uninstall

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(options: MigrateOptions): Promise<void> {
  const chosen = [options.dryRun && '--dry-run', options.print && '--print', options.uninstall && '--uninstall'].filter(
    Boolean,
  );
  if (chosen.length > 1) throw new UsageError(`${chosen.join(' and ')} do not go together.`, 'Give one of them.');

  if (options.from !== undefined && !options.print) {
    throw new UsageError('--from says nothing without --print.', 'Without --print what is missing is found out.');
  }
  if (options.print) {
    const sql = await printMigrations(options.from);
    if (sql === '') process.stderr.write(`Nothing has been added since ${options.from}.\n`);
    else process.stdout.write(asTransaction(sql));
    return;
  }
  const config = databaseConfig(options);
  if (options.uninstall) {
    if (!options.yes && !(await confirmed())) {
      process.stdout.write('Nothing is changed.\n');
      return;
    }
    await uninstall(config);
    process.stdout.write('The schema djr is dropped.\n');
    return;
  }
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const names = await migrate(config, {
    dryRun: options.dryRun,
    log: print,
    lockTimeout: options.lockTimeout * 1000,
  });
  if (options.dryRun) for (const name of names) print(`-- would apply ${name}`);
  if (names.length === 0) process.stdout.write('The schema djr is up to date.\n');
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      '--uninstall asks first, and there is no terminal to ask on.',
      'Add --yes to do without the question.',
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question('Drop the schema djr with all its events? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}
