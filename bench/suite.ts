import { setTimeout } from 'node:timers/promises';
import type { DatabaseServer } from './database.js';
import { openFilesFor } from './load/open-files.js';
import type { Publisher } from './load/publisher.js';
import type { Readers } from './load/readers.js';
import type { Sample } from './metrics.js';
import { type Remote, start } from './remote.js';
import { type ScenarioReport, summarise } from './report/report.js';
import type { Round, Scenario, Size } from './scenarios/scenario.js';
import type { System } from './systems/system.js';
import type { Variant } from './systems/variants.js';

export interface SuiteOptions {
  size?: Partial<Size>;
  /** Called before each round of each variant. */
  onRound?: (scenario: string, variant: string) => void;
  /** Called with what a long round does now. */
  onStep?: (scenario: string, variant: string, what: string) => void;
  /** A directory for CPU profiles of the servers under test. */
  profile?: string;
  /** Only variants whose name contains one of these. */
  variants?: string[];
}

/** How the server under test is started. */
interface Started {
  profile?: string | undefined;
  /** A limit of open files above our own. */
  openFiles?: number;
}

interface Prepared extends Started {
  variant: Variant;
  databaseUrl: string;
  system?: Round['system'];
}

/** How many rounds a run of these scenarios has. */
export const countRounds = (scenarios: Scenario[], options: SuiteOptions): number =>
  scenarios.reduce(
    (sum, scenario) => sum + (options.size?.rounds ?? scenario.size.rounds) * chosen(scenario, options).length,
    0,
  );

function chosen(scenario: Scenario, { size, variants: names }: SuiteOptions): Variant[] {
  const { among } = scenario;
  const variants = among && size?.clients !== undefined ? among(size.clients) : scenario.variants;
  return names ? variants.filter(({ name }) => names.some((part) => name.includes(part))) : variants;
}

/**
 * Runs one scenario: its servers are started, then round after round of each variant in turn, forwards and backwards
 * (A B B A …), so that what the machine does meanwhile does not fall on one of them alone.
 */
export async function runScenario(
  server: DatabaseServer,
  scenario: Scenario,
  options: SuiteOptions = {},
): Promise<ScenarioReport> {
  const size = { ...scenario.size, ...options.size };
  const readers = start<Readers>('readers');
  const publisher = start<Publisher>('publisher');
  const prepared: Prepared[] = [];
  const samples = new Map<string, Sample[]>();
  const notRun: Record<string, string> = {};
  const variants = chosen(scenario, options);
  try {
    for (const variant of variants) {
      const openFiles = variant.crowded ? openFilesFor(variant.clients ?? size.clients) : undefined;
      const hindrance = typeof openFiles === 'string' ? openFiles : scenario.hindrance?.(variant);
      if (hindrance !== undefined) {
        notRun[variant.name] = hindrance;
        continue;
      }
      const flags = typeof openFiles === 'number' ? { openFiles } : {};
      prepared.push(await prepare(server, scenario, variant, { profile: options.profile, ...flags }));
      samples.set(variant.name, []);
    }
    for (let round = 0; round < size.rounds; round += 1) {
      for (const one of round % 2 ? prepared.toReversed() : prepared) {
        options.onRound?.(scenario.name, one.variant.name);
        if (scenario.fresh && round > 0) await restart(one);
        if (scenario.rest) await setTimeout(scenario.rest);
        const clients = one.variant.clients ?? size.clients;
        const step = (what: string) => options.onStep?.(scenario.name, one.variant.name, what);
        samples.get(one.variant.name)!.push(await scenario.run({ ...size, clients, ...one, readers, publisher, step }));
      }
    }
  } finally {
    const processes: Remote<object>[] = [readers, publisher];
    for (const { system } of prepared) if (system) processes.push(system.remote);
    await Promise.all(processes.map((process) => process.end()));
    for (const { variant } of prepared) await server.drop(databaseName(scenario, variant));
  }
  return { ...summarise(scenario, size, variants, samples), notRun };
}

const databaseName = (scenario: Scenario, variant: Variant) => `${variant.name}_${scenario.name}`;

async function prepare(
  server: DatabaseServer,
  scenario: Scenario,
  variant: Variant,
  started: Started,
): Promise<Prepared> {
  const databaseUrl = await server.create(databaseName(scenario, variant), variant.setup);
  const prepared: Prepared = { variant, databaseUrl, ...started };
  await restart(prepared);
  return prepared;
}

async function restart(prepared: Prepared): Promise<void> {
  const { variant, databaseUrl, system, profile, openFiles } = prepared;
  if (variant.system === undefined) return;
  await system?.remote.end();
  const flags = [...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []), ...(variant.flags ?? [])];
  const remote = start<System>(variant.system, flags, openFiles);
  prepared.system = { remote, address: await remote.listen({ databaseUrl, ...variant.options }) };
}
