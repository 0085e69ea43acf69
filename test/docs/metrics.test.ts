import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';
import { parse } from 'yaml';
import { startApp, until } from '../helpers/server.js';

const read = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** Names of metrics in a query; of a histogram's parts the histogram's. */
const named = (text: string): string[] => [
  ...new Set([...text.matchAll(/\bdjr_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''))),
];

/** Every metric that an instance has, whether there is a value now or not. */
async function existing(t: Parameters<typeof startApp>[0]): Promise<Set<string>> {
  const { origin, realtime } = await startApp(t);
  await until('the first answer', () => realtime.health().checks.queue === 'ok');
  const text = await (await fetch(`${origin}/realtime/metrics`)).text();
  const own = [...text.matchAll(/^# TYPE (\w+)/gm)].map((match) => match[1]!);
  // What the first process of `serve --workers` adds: test/cli/workers.test.ts reads them.
  return new Set([...own, 'djr_workers', 'djr_workers_replaced_total']);
}

interface Panel {
  title: string;
  type: string;
  gridPos: object;
  targets: { expr: string }[];
}

test('every metric of the dashboard, the alerts and the page exists, and the page explains each', async (t) => {
  const known = await existing(t);
  for (const file of ['grafana-dashboard.json', 'alerts.yaml', 'operations.md']) {
    for (const name of named(await read(file))) t.true(known.has(name), `${name} of ${file}`);
  }
  const explained = named(await read('operations.md'));
  for (const name of known) t.true(explained.includes(name), `${name} in operations.md`);
});

test('the dashboard can be imported: panels with queries, none twice, the data source to choose', async (t) => {
  const dashboard = JSON.parse(await read('grafana-dashboard.json'));
  const panels: Panel[] = dashboard.panels;
  t.true(panels.length > 10);
  t.is(new Set(panels.map(({ title }) => title)).size, panels.length);
  for (const panel of panels) {
    t.truthy(panel.gridPos);
    t.true(
      panel.targets.every(({ expr }) => expr.length > 0),
      panel.title,
    );
  }
  t.true(dashboard.templating.list.some(({ type }: { type: string }) => type === 'datasource'));
  t.falsy(dashboard.id, 'Grafana gives the id');
});

test('each alert has a threshold, a severity and what to do, and the page has a section for it', async (t) => {
  const { groups } = parse(await read('alerts.yaml'));
  const page = await read('operations.md');
  const { rules } = groups[0];
  t.true(rules.length > 8);
  for (const { alert, expr, labels, annotations } of rules) {
    t.regex(expr, /[<>=]=? |^absent\(/, alert);
    t.true(['warning', 'critical'].includes(labels.severity), alert);
    t.truthy(annotations.summary && annotations.action, alert);
    t.true(page.includes(`\`${alert}\``), `${alert} in operations.md`);
  }
});

test('The metrics that the page about the relay explains are those of its sources and edges', async (t) => {
  const folder = new URL('../../src/source/nats/', import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
  const registered = new Set(
    sources.flatMap((source) => [...source.matchAll(/'(djr_relay_\w+)'/g)].map((match) => match[1]!)),
  );
  const explained = named(await read('relay.md')).filter((name) => name.startsWith('djr_relay_'));
  t.deepEqual(explained.sort(), [...registered].sort());
});
