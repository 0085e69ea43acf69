/**
 * The benchmark: `npm run bench -- --help`.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { allowClosedOutput } from '../src/cli/closed-output.js';
import { openServer } from './database.js';
import { otherLoad, QUIET } from './load/other-load.js';
import { html } from './report/html.js';
import { describeMachine, failures, type Report } from './report/report.js';
import { compare, table } from './report/table.js';
import { scenarios, sets } from './scenarios/index.js';
import { countRounds, runScenario, type SuiteOptions } from './suite.js';

interface Flags {
  scenario?: string[];
  set?: string;
  quick?: boolean;
  variant?: string[];
  all?: boolean;
  list?: boolean;
  clients?: number;
  seconds?: number;
  rounds?: number;
  databaseUrl?: string;
  compare?: string;
  out: string;
  profile?: string;
}

const number = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

const command = new Command('bench')
  .description('Measures publish call to frame parsed, deliveries a second and more, beside floors, in the same run.')
  .option('--scenario <name...>', 'only these (see --list)')
  .addOption(
    new Option(
      '--set <name>',
      'a choice made for you: `final` measures every target of publishing and delivery, `range` what one process carries',
    ).choices(Object.keys(sets)),
  )
  .option('--quick', 'the set `quick`: two minutes, with pass or FAIL against ceilings of the same run')
  .option('--variant <text...>', 'only variants whose name contains one of these')
  .option('--all', 'the long scenarios too')
  .option('--list', 'say what there is')
  .option('--clients <count>', 'clients of each scenario', number)
  .option('--seconds <seconds>', 'length of a round', number)
  .option('--rounds <count>', 'rounds of each variant', number)
  .option('--database-url <uri>', 'a server of yours; databases djr_bench_… are made on it and dropped')
  .option('--compare <file>', 'a JSON result of before, shown side by side')
  .option('--out <directory>', 'where result.json and report.html go', 'bench/results')
  .option('--profile <directory>', 'write CPU profiles of the servers under test')
  .action(run);

async function run(flags: Flags): Promise<void> {
  if (flags.list) {
    for (const { name, about, long } of scenarios)
      process.stdout.write(`${name}${long ? ' (--all)' : ''}\n    ${about}\n`);
    return;
  }
  const unknown = flags.scenario?.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown) command.error(`error: no scenario ${unknown}; --list says which there are`, { exitCode: 2 });
  if (flags.quick) flags.set ??= 'quick';
  const before = flags.compare ? (JSON.parse(await readFile(flags.compare, 'utf8')) as Report) : undefined;

  const busy = await otherLoad();
  if (busy > QUIET) {
    process.stderr.write(
      `The machine is not quiet: ${Math.round(busy * 100)} % of its processors are busy with something else. Ratios of this run are no result.\n`,
    );
  }
  const report = await measure(flags);
  process.stdout.write(`${table(report)}\n`);
  if (before) process.stdout.write(`${compare(before, report)}\n`);
  process.stdout.write(`${path.join(flags.out, 'report.html')} has the charts, result.json the figures.\n`);
  if (flags.profile) {
    process.stdout.write(`npx speedscope ${flags.profile}/*.cpuprofile shows a profile as a flame graph.\n`);
  }
  for (const failure of failures(report)) {
    process.stderr.write(`FAILED: ${failure}\n`);
    process.exitCode = 1;
  }
}

/** Written behind each scenario, so that a run that is ended has left what it had measured. */
async function write(report: Report, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'result.json'), `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(path.join(folder, 'report.html'), await html(report));
}

async function measure(flags: Flags): Promise<Report> {
  const among = flags.set === undefined ? scenarios : sets[flags.set]!;
  const wanted = among.filter(
    ({ name, long }) => flags.scenario?.includes(name) ?? (flags.all || flags.set !== undefined || !long),
  );
  const { clients, seconds, rounds } = flags;
  const given = Object.entries({ clients, seconds, rounds }).filter(([, value]) => value !== undefined);
  const bar = new SingleBar({
    format: '{bar} {value}/{total} {scenario}, {variant}',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
  });
  const options: SuiteOptions = {
    size: Object.fromEntries(given),
    profile: flags.profile,
    variants: flags.variant,
    onRound: (scenario, variant) => bar.increment(1, { scenario, variant }),
    onStep: (scenario, variant, what) => {
      if (process.stderr.isTTY) bar.update({ scenario, variant: `${variant}: ${what}` });
      else process.stderr.write(`${scenario}, ${variant}: ${what}\n`);
    },
  };
  const server = await openServer(flags.databaseUrl);
  bar.start(countRounds(wanted, options), 0, { scenario: '', variant: '' });
  const report: Report = {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: describeMachine(),
    node: process.versions.node,
    postgres: { version: server.version, settings: server.settings },
    scenarios: [],
  };
  try {
    for (const scenario of wanted) {
      report.scenarios.push(await runScenario(server, scenario, options));
      await write(report, flags.out);
    }
  } finally {
    bar.stop();
    await server.close();
  }
  return report;
}

allowClosedOutput();
// `exit` handlers end what was started: the database server and every process of the benchmark.
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
await command.parseAsync();
