import { setTimeout } from 'node:timers/promises';
import type { DatabaseServer } from './database.js';
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
  /** A directory for CPU profiles of the servers under test. */
  profile?: string;
  /** Only variants whose name contains one of these. */
  variants?: string[];
}

interface Prepared {
  variant: Variant;
  databaseUrl: string;
  system?: Round['system'];
}

/** How many rounds a run of these scenarios has. */
export const countRounds = (scenarios: Scenario[], { size, variants }: SuiteOptions): number =>
  scenarios.reduce(
    (sum, scenario) => sum + (size?.rounds ?? scenario.size.rounds) * chosen(scenario, variants).length,
    0,
  );

const chosen = ({ variants }: Scenario, names?: string[]): Variant[] =>
  names ? variants.filter(({ name }) => names.some((part) => name.includes(part))) : variants;

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
  try {
    for (const variant of chosen(scenario, options.variants)) {
      prepared.push(await prepare(server, scenario, variant, options.profile));
      samples.set(variant.name, []);
    }
    for (let round = 0; round < size.rounds; round += 1) {
      for (const one of round % 2 ? prepared.toReversed() : prepared) {
        options.onRound?.(scenario.name, one.variant.name);
        if (scenario.fresh && round > 0) await restart(one, options.profile);
        if (scenario.rest) await setTimeout(scenario.rest);
        const clients = one.variant.clients ?? size.clients;
        samples.get(one.variant.name)!.push(await scenario.run({ ...size, clients, ...one, readers, publisher }));
      }
    }
  } finally {
    const processes: Remote<object>[] = [readers, publisher];
    for (const { system } of prepared) if (system) processes.push(system.remote);
    await Promise.all(processes.map((process) => process.end()));
    for (const { variant } of prepared) await server.drop(databaseName(scenario, variant));
  }
  return summarise(
    scenario,
    size,
    prepared.map(({ variant }) => variant),
    samples,
  );
}

const databaseName = (scenario: Scenario, variant: Variant) => `${variant.name}_${scenario.name}`;

async function prepare(
  server: DatabaseServer,
  scenario: Scenario,
  variant: Variant,
  profile?: string,
): Promise<Prepared> {
  const databaseUrl = await server.create(databaseName(scenario, variant), variant.setup);
  const prepared: Prepared = { variant, databaseUrl };
  await restart(prepared, profile);
  return prepared;
}

async function restart(prepared: Prepared, profile?: string): Promise<void> {
  const { variant, databaseUrl, system } = prepared;
  if (variant.system === undefined) return;
  await system?.remote.end();
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const remote = start<System>(variant.system, flags);
  prepared.system = { remote, address: await remote.listen({ databaseUrl, ...variant.options }) };
}
