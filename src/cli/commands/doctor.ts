import { styleText } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { diagnose } from '../../doctor/diagnosis.js';
import type { Finding } from '../../doctor/findings.js';
import { checkRelay } from '../../doctor/relay-checks.js';
import { checkWay } from '../../doctor/way.js';
import { DjrError } from '../../lib/errors.js';
import {
  DATABASE_ENVIRONMENT,
  type DatabaseOptions,
  databaseConfig,
  databaseOption,
  subcommand,
  wholeNumber,
} from '../command.js';
import { open, withClient } from '../database.js';
import { UsageError } from '../failure.js';
import { type RelayFlags, relayOf, relayOptions } from '../relay-options.js';

interface DoctorOptions extends DatabaseOptions, RelayFlags {
  json?: boolean;
  url?: URL;
  header?: Record<string, string>;
  patience: number;
}

export function doctorCommand(program: Command): void {
  const command = subcommand(program, 'doctor', 'check the database, and say what to do')
    .description(
      'Checks what djr needs of the database: version, schema, rights, who can do more than it was granted, row security, that LISTEN is heard and no pooler is in the way, NOTIFY queue (and who holds it up), triggers (disabled, or passed by in a subscriber of logical replication), indexes, retention, consumers, vacuum, long transactions, what a restore brought, durability, clock, connections and instances.',
    )
    .addOption(databaseOption().conflicts('relay'))
    .option('--json', 'a JSON object a line')
    .addOption(
      new Option(
        '--url <url>',
        'check the way through the proxy instead, to the base path as browsers reach it: https://app.example.com/realtime/',
      )
        .argParser(address)
        .conflicts(['databaseUrl', 'relay']),
    )
    .addOption(new Option('--header <header...>', "with --url: send this, too, as 'Cookie: sid=…'").argParser(header))
    .addOption(
      new Option('--patience <seconds>', 'with --url: how long a heartbeat may take')
        .default(30)
        .argParser((text) => wholeNumber(text, { min: 1, max: 3600 })),
    );
  relayOptions(command, 'check the relay on these nats-servers instead, with the login of a source or of an edge');
  command
    .addHelpText(
      'after',
      `
Ends with 1 when a check failed; warnings do not count. Run it as the role, and through the connection, that the runtime uses.

With --url it asks no database. It goes the way of a browser, and checks that an instance answers, metrics are closed, HTTP/2,
the Host, that the stream's first byte comes at once, cache headers, Last-Event-ID, and that a heartbeat comes through.

With --relay it asks no database either. It checks the server's version, the stream's settings, replicas, age and last checkpoint, what
the login may do (trying it changes nothing), that a source answers, that live copies are heard, and the clocks.

Examples:
  $ djr doctor
  $ djr doctor --url https://app.example.com/realtime/ --header 'Cookie: sid=abc'
  $ djr doctor --relay nats://djr_default_edge:secret@10.0.0.5:4222
  $ djr doctor --json | jq -r 'select(.state != "ok") | .todo'

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(options: DoctorOptions, command: Command): Promise<void> {
  for (const name of ['header', 'patience'] as const) {
    if (options.url || command.getOptionValueSource(name) !== 'cli') continue;
    throw new UsageError(
      `--${name} says nothing without --url.`,
      'Give --url https://app.example.com/realtime/ with it.',
    );
  }
  const relay = relayOf(options);
  let failures = 0;
  const print = async (findings: AsyncIterable<Finding>) => {
    for await (const finding of findings) {
      process.stdout.write(options.json ? `${JSON.stringify(finding)}\n` : line(finding));
      if (finding.state === 'failed') failures += 1;
    }
  };
  if (options.url) {
    await print(checkWay({ url: options.url, headers: options.header ?? {}, patience: options.patience * 1000 }));
  } else if (options.relay && relay) {
    const { credentials, namespace = 'default' } = relay;
    await print(checkRelay({ servers: options.relay, credentials, namespace }));
  } else {
    const config = databaseConfig(options);
    await withClient(config, (client) => print(diagnose(client, () => open(config))));
  }
  if (failures > 0) {
    throw new DjrError('DJR_DOCTOR', `${failures} of the checks failed.`, {
      hint: 'Do what stands below the first, and run `djr doctor` again.',
    });
  }
}

function address(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('It must be an address like https://app.example.com/realtime/.');
  }
  url.pathname = url.pathname.replace(/\/*$/, '/');
  return url;
}

function header(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([\w-]+):\s*(.+)$/.exec(text) ?? [];
  if (name && value) return { ...before, [name.toLowerCase()]: value };
  throw new InvalidArgumentError("It must be a header like 'Cookie: sid=abc'.");
}

const MARKS = { ok: ['green', 'ok     '], warning: ['yellow', 'warning'], failed: ['red', 'failed '] } as const;

function line({ check, state, found, todo }: Finding): string {
  const [colour, word] = MARKS[state];
  const mark = process.stdout.isTTY && !process.env.NO_COLOR ? styleText(colour, word) : word;
  return `${mark} ${check.padEnd(13)} ${found}${todo ? `\n        ${''.padEnd(13)} ${todo}` : ''}\n`;
}
