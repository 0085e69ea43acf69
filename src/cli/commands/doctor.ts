import { styleText } from 'node:util';
import type { Command } from 'commander';
import { diagnose } from '../../database/diagnosis.js';
import type { Finding } from '../../database/findings.js';
import { DjrError } from '../../errors.js';
import { DATABASE_ENVIRONMENT, type DatabaseOptions, databaseConfig, databaseOption, subcommand } from '../command.js';
import { open, withClient } from '../database.js';

interface DoctorOptions extends DatabaseOptions {
  json?: boolean;
}

export function doctorCommand(program: Command): void {
  subcommand(program, 'doctor', 'check the database, and say what to do')
    .description(
      'Checks what djr needs of the database: version, schema, rights, who can do more than it was granted, row security, that LISTEN is heard and no pooler is in the way, NOTIFY queue (and who holds it up), triggers (disabled, or passed by in a subscriber of logical replication), indexes, retention, vacuum, long transactions, what a restore brought, durability, clock, connections and instances.',
    )
    .addOption(databaseOption())
    .option('--json', 'a JSON object a line')
    .addHelpText(
      'after',
      `
Ends with 1 when a check failed; warnings do not count. Run it as the role, and through the connection, that the runtime uses.

Examples:
  $ djr doctor
  $ djr doctor --json | jq -r 'select(.state != "ok") | .todo'

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(options: DoctorOptions): Promise<void> {
  let failures = 0;
  const config = databaseConfig(options);
  await withClient(config, async (client) => {
    for await (const finding of diagnose(client, () => open(config))) {
      process.stdout.write(options.json ? `${JSON.stringify(finding)}\n` : line(finding));
      if (finding.state === 'failed') failures += 1;
    }
  });
  if (failures > 0) {
    throw new DjrError('DJR_DOCTOR', `${failures} of the checks failed.`, {
      hint: 'Do what stands below the first, and run `djr doctor` again.',
    });
  }
}

const MARKS = { ok: ['green', 'ok     '], warning: ['yellow', 'warning'], failed: ['red', 'failed '] } as const;

function line({ check, state, found, todo }: Finding): string {
  const [colour, word] = MARKS[state];
  const mark = process.stdout.isTTY && !process.env.NO_COLOR ? styleText(colour, word) : word;
  return `${mark} ${check.padEnd(13)} ${found}${todo ? `\n        ${''.padEnd(13)} ${todo}` : ''}\n`;
}
