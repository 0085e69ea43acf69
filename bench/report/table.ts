import { format, type Metric, metrics } from '../metrics.js';
import type { Report, ScenarioReport } from './report.js';
import { outcomes } from './targets.js';

/** A metric's title, with its unit where the title does not say it. */
export const heading = (metric: Metric): string => {
  const { title, unit } = metrics[metric];
  return unit === '' || title.includes(unit) ? title : `${title} ${unit}`;
};

/** Columns as wide as they must be, numbers to the right. */
function layOut(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function scenarioTable({ name, about, size, columns, headline, variants, noise, notRun = {} }: ScenarioReport): string {
  const floors = variants.filter(({ floor }) => floor);
  const ratioColumns = floors.flatMap((floor) => headline.map((metric) => ({ floor: floor.name, metric })));
  const rows = [
    ['', ...columns.map(heading), ...ratioColumns.map(({ floor, metric }) => `${metrics[metric].title} x ${floor}`)],
    ...variants.map((variant) => [
      variant.name,
      ...columns.map((metric) => show(variant.metrics[metric])),
      ...ratioColumns.map(({ floor, metric }) => show(variant.ratios[floor]?.[metric])),
    ]),
  ];
  const rounds = `${size.rounds} rounds of ${size.seconds} s, ${size.clients} client${size.clients === 1 ? '' : 's'}`;
  const reasons = Object.entries(notRun).map(([variant, reason]) => `\n${variant} was not run: ${reason}.\n`);
  const noisy = `the first floor's rounds lie ${Math.round(noise * 100)} % apart in ${metrics[headline[0] ?? columns[0]!].title}`;
  return `${name}: ${about}\n(medians of ${rounds}; ${noisy})\n\n${layOut(rows)}\n${reasons.join('')}`;
}

const show = (value: number | undefined): string => (value === undefined ? '' : format(value));

/** The report for a terminal. */
export function table(report: Report): string {
  const { machine, postgres } = report;
  const settings = Object.entries(postgres.settings).map(([name, value]) => `${name} ${value}`);
  const head = `${report.date}, ${machine.cores} x ${machine.cpu}, ${machine.memoryGb} GB, ${machine.platform}, Node ${report.node}, PostgreSQL ${postgres.version} (${settings.join(', ')})`;
  return [head, ...report.scenarios.map(scenarioTable), ...targetTable(report)].join('\n\n');
}

function targetTable(report: Report): string[] {
  const rows = outcomes(report).map(({ what, target, measured, met, noise }) => [
    what,
    target,
    format(measured),
    met ? 'pass' : 'FAIL',
    `${Math.round(noise * 100)} %`,
  ]);
  if (rows.length === 0) return [];
  return [`targets\n\n${layOut([['', 'target', 'measured', '', "floor's rounds apart"], ...rows])}\n`];
}

/** Two runs side by side: each metric before, after, and after divided by before. */
export function compare(before: Report, after: Report): string {
  const parts: string[] = [];
  for (const scenario of after.scenarios) {
    const old = before.scenarios.find(({ name }) => name === scenario.name);
    if (!old) continue;
    const rows = [['', 'before', 'after', 'after/before']];
    for (const variant of scenario.variants) {
      const was = old.variants.find(({ name }) => name === variant.name);
      for (const metric of scenario.columns) {
        const [a, b] = [was?.metrics[metric], variant.metrics[metric]];
        if (a === undefined || b === undefined) continue;
        rows.push([`${variant.name}, ${heading(metric)}`, format(a), format(b), a > 0 ? format(b / a) : '']);
      }
    }
    parts.push(
      `${scenario.name}\n(run before: ${before.date}; noise ${Math.round(old.noise * 100)} % then, ${Math.round(scenario.noise * 100)} % now)\n\n${layOut(rows)}\n`,
    );
  }
  return parts.join('\n');
}
