import { type Command, Option } from 'commander';
import { readStatistics, type Statistics } from '../../instance/statistics.js';
import {
  DATABASE_ENVIRONMENT,
  type DatabaseOptions,
  databaseConfig,
  databaseOption,
  subcommand,
  wholeNumber,
} from '../command.js';
import { checkDatabase, withClient } from '../database.js';
import { defuse } from '../format.js';
import { Lifetime } from '../lifetime.js';
import { bytes, table } from '../table.js';

interface StatsOptions extends DatabaseOptions {
  period: 'hour' | 'day';
  json?: boolean;
  watch?: number | true;
}

/** Seconds between two readings with `--watch`. */
const WATCH = 2;

export function statsCommand(program: Command): void {
  subcommand(program, 'stats', 'show instances, events and sizes')
    .description(
      'Shows the instances that run, the events of the last hour by type and scope, how events are delivered, how full the ' +
        'NOTIFY queue is, and what the tables take. Of a period with more than 1,000,000 events the newest are counted.',
    )
    .addOption(databaseOption())
    .addOption(new Option('--period <period>', 'whose events are counted').choices(['hour', 'day']).default('hour'))
    .option('--json', 'a JSON object')
    .addOption(
      new Option('-w, --watch [seconds]', `again every so many seconds (${WATCH}), until Ctrl-C`).argParser((text) =>
        wholeNumber(text, { min: 1, max: 3600 }),
      ),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ djr stats
  $ djr stats --period day
  $ djr stats --watch 5
  $ djr stats --json | jq '.instances[] | select(.gone) | .host'

Environment:
${DATABASE_ENVIRONMENT}`,
    )
    .action(run);
}

async function run(options: StatsOptions): Promise<void> {
  const config = databaseConfig(options);
  await checkDatabase(config);
  const show = (statistics: Statistics) =>
    options.json ? `${JSON.stringify(statistics)}\n` : formatStatistics(statistics);
  // Each reading has a connection of its own, as `idle_session_timeout` may be shorter than the time between two.
  const look = () => withClient(config, (client) => readStatistics(client, `1 ${options.period}`));
  if (options.watch === undefined) {
    process.stdout.write(show(await look()));
    return;
  }
  const seconds = options.watch === true ? WATCH : options.watch;
  const clear = process.stdout.isTTY && !options.json ? '\x1b[H\x1b[2J' : '';
  const lifetime = new Lifetime();
  let timer: NodeJS.Timeout | undefined;
  lifetime.onStop(() => clearTimeout(timer));
  process.stdout.on('error', () => lifetime.end());
  let failure: unknown;
  const again = async (): Promise<void> => {
    process.stdout.write(`${clear}${show(await look())}${clear || options.json ? '' : '\n'}`);
    timer = setTimeout(() => {
      again().catch((error: unknown) => {
        failure = error;
        lifetime.end();
      });
    }, seconds * 1000);
  };
  await lifetime.run(again);
  if (failure !== undefined) throw failure;
}

/** Formats statistics for people. Types, hosts and versions may contain any character, so those that would move the cursor are written out. */
function formatStatistics(found: Statistics): string {
  const { settings, tables } = found;
  const period = found.period.replace(/^1 /, '');
  const size = tables
    .map(
      ({ name, rows, bytes: taken }) =>
        `${name} ${bytes(taken)}${rows === null ? '' : `, about ${rows.toLocaleString('en')} rows`}`,
    )
    .join('; ');
  const facts: [string, string][] = [
    ['delivery', `${found.mode} (${settings.delivery})`],
    ['NOTIFY queue', `${(found.queue_usage * 100).toFixed(1)} % full`],
    [
      'storage',
      `${settings.storage ? 'on' : 'off'}, retention ${settings.retention ?? 'for ever'}, activity ${settings.activity}`,
    ],
    ['tables', size],
    ['oldest event', found.oldest_event?.toISOString() ?? 'none'],
  ];
  const instances = table(
    ['INSTANCE', 'HOST', 'VERSION', 'STREAMS', 'EVENTS', 'DELIVERIES', 'ERRORS', 'LAG MS', 'SINCE', ''],
    found.instances.map((one) => [
      defuse(one.name),
      defuse(one.host),
      defuse(one.version),
      one.connections,
      one.events,
      one.deliveries,
      one.errors,
      one.lag_ms === null ? '-' : one.lag_ms.toFixed(1),
      one.started_at?.toISOString().slice(0, 19) ?? '-',
      one.gone ? 'gone' : '',
    ]),
  );
  const events = table(
    ['TYPE', 'SCOPE', 'EVENTS'],
    found.events.map(({ type, scope, count }) => [defuse(type), scope, count]),
  );
  const total = `${found.complete ? '' : 'the newest '}${found.counted.toLocaleString('en')} events of the last ${period}`;
  return [
    facts.map(([name, value]) => `${name.padEnd(13)} ${value}\n`).join(''),
    found.instances.length > 0 ? instances : 'no instance runs\n',
    found.events.length > 0 ? `${total}\n${events}` : `no event in the last ${period}\n`,
  ].join('\n');
}
