import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { format, metrics } from '../metrics.js';
import type { Report, ScenarioReport } from './report.js';
import { heading } from './table.js';
import { outcomes } from './targets.js';

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --quiet: #60646c; --page: #fcfcfd; --card: #fff; --line: #e3e5e9; --good: #187a4b; --bad: #b4232a; --own: #0a6ed1; --floor: #9aa1ab; }
@media (prefers-color-scheme: dark) { :root { --text: #eceef1; --quiet: #a3a9b3; --page: #111316; --card: #191c20; --line: #30343b; --good: #4cc38a; --bad: #ff8a8f; --own: #55a8ff; --floor: #7b838f; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; color: var(--text); background: var(--page); }
h1 { margin-bottom: 0; } h2 { margin: 0 0 .25rem; font-size: 1.25rem; } p { margin: .25rem 0 1rem; color: var(--quiet); max-width: 70rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem 1.5rem; margin: 1.5rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; font-size: .9rem; }
td, th { padding: .3rem .75rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--quiet); white-space: normal; vertical-align: bottom; min-width: 4.5rem; }
td:first-child, th:first-child { text-align: left; padding-left: 0; }
tr.floor td { color: var(--quiet); }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; margin-top: 1.25rem; }
.charts > div { min-width: 0; } .u-title { font-size: .95rem !important; font-weight: 600; } .u-legend { font-size: .8rem; }
.pass { color: var(--good); font-weight: 600; } .failed { color: var(--bad); font-weight: 600; }
.bars { width: min(36rem, 100%); align-self: start; } .bars h3 { font-size: .95rem; margin: .2rem 0 .75rem; text-align: center; }
.bar { display: grid; grid-template-columns: 11rem 1fr 4rem; gap: .75rem; align-items: center; margin: .35rem 0; font-size: .85rem; font-variant-numeric: tabular-nums; }
.bar i { display: block; height: 1.1rem; border-radius: .2rem; background: var(--own); min-width: 2px; } .bar.floor i { background: var(--floor); }
`;

/** Runs in the page, with uPlot and the report: a chart is drawn where its element says which. */
const SCRIPT = `
const dark = matchMedia('(prefers-color-scheme: dark)');
const colors = ['#0a6ed1', '#e5484d', '#30a46c', '#ab4aba', '#f5a524', '#12a5b8', '#8d6e53'];
const draw = () => {
  const css = getComputedStyle(document.documentElement);
  const [text, line, floor] = ['--quiet', '--line', '--floor'].map((name) => css.getPropertyValue(name).trim());
  const axis = (more) => ({ stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, ...more });
  const series = (variants) => { let peer = 0; return variants.map((v) => ({ label: v.name, stroke: v.floor ? floor : v.name === 'djr' ? colors[0] : colors[1 + peer++ % (colors.length - 1)], width: v.floor ? 1.5 : 2, dash: v.floor ? [6, 4] : undefined, points: { show: false } })); };
  const size = { width: Math.min(580, document.body.clientWidth - 80), height: 300 };
  for (const element of document.querySelectorAll('[data-chart]')) {
    element.replaceChildren();
    const scenario = report.scenarios[element.dataset.scenario];
    if (element.dataset.chart === 'delays') {
      const variants = scenario.variants.filter((v) => v.curve.length);
      const percentiles = variants[0].curve.map(([p]) => p);
      new uPlot({ ...size, title: 'Delay by percentile, ms', scales: { x: { time: false }, y: { distr: 3 } },
        axes: [axis({ splits: percentiles.map((_, i) => i), values: (_, ticks) => ticks.map((i) => percentiles[i]), rotate: -45, size: 55 }), axis({ size: 60 })],
        series: [{ label: 'percentile', value: (_, i) => i == null ? '' : percentiles[i] + ' %' }, ...series(variants)] },
        [percentiles.map((_, i) => i), ...variants.map((v) => v.curve.map(([, ms]) => Math.max(ms, 0.001)))], element);
    } else {
      const variants = scenario.variants.filter((v) => v.timeline.length);
      const length = Math.max(...variants.map((v) => v.timeline.length));
      new uPlot({ ...size, title: 'Deliveries a second over time (last round)', scales: { x: { time: false } }, axes: [axis({ values: (_, ticks) => ticks.map((s) => s + ' s') }), axis({ size: 80 })],
        series: [{ label: 'seconds' }, ...series(variants)] },
        [Array.from({ length }, (_, i) => i / 10), ...variants.map((v) => Array.from({ length }, (_, i) => i < v.timeline.length ? v.timeline[i] * 10 : null))], element);
    }
  }
};
draw();
dark.addEventListener('change', draw);
`;

/** Bars of one metric, each as a multiple of the first floor; without a script, so that they print. */
function bars({ variants, headline }: ScenarioReport): string {
  const floor = variants.find((one) => one.floor);
  const metric = headline[0];
  if (!floor || metric === undefined) return '';
  const shown = variants
    .map(({ name, floor: isFloor, ratios }) => ({
      name,
      isFloor,
      ratio: name === floor.name ? 1 : ratios[floor.name]?.[metric],
    }))
    .filter(({ ratio }) => ratio !== undefined);
  const most = Math.max(...shown.map(({ ratio }) => ratio!));
  const rows = shown.map(
    ({ name, isFloor, ratio }) =>
      `<div class="bar${isFloor ? ' floor' : ''}"><span>${escapeHtml(name)}</span><i style="width:${((100 * ratio!) / most).toFixed(1)}%"></i><span>${format(ratio!)} ×</span></div>`,
  );
  return `<div class="bars"><h3>${escapeHtml(`${metrics[metric].title}, × ${floor.name} (${metrics[metric].better} is better)`)}</h3>${rows.join('')}</div>`;
}

/** The targets that this run measured, first of all. */
function targetSection(report: Report): string {
  const rows = outcomes(report).map(
    ({ what, target, measured, met, noise }) =>
      `<tr><td>${escapeHtml(what)}</td><td>${escapeHtml(target)}</td><td>${format(measured)}</td><td class="${met ? 'pass' : 'failed'}">${met ? 'pass' : 'fail'}</td><td>${Math.round(noise * 100)} %</td></tr>`,
  );
  if (rows.length === 0) return '';
  return `<section><h2>Targets</h2><table><thead><tr><th></th><th>target</th><th>measured</th><th></th><th>floor’s rounds apart</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function section(scenario: ScenarioReport, index: number): string {
  const { variants, columns, headline, size } = scenario;
  const notRun = Object.entries(scenario.notRun ?? {});
  const floors = variants.filter(({ floor }) => floor);
  const head = [
    ...columns.map(heading),
    ...floors.flatMap((floor) => headline.map((metric) => `${metrics[metric].title} × ${floor.name}`)),
  ];
  const rows = variants.map((variant) => {
    const cells = [
      ...columns.map((metric) => variant.metrics[metric]),
      ...floors.flatMap((floor) => headline.map((metric) => variant.ratios[floor.name]?.[metric])),
    ];
    const failed =
      variant.failures.length > 0 ? ` <span class="failed">${escapeHtml(variant.failures.join('; '))}</span>` : '';
    return `<tr${variant.floor ? ' class="floor"' : ''}><td>${escapeHtml(variant.name)}${failed}</td>${cells.map((value) => `<td>${value === undefined ? '' : format(value)}</td>`).join('')}</tr>`;
  });
  const chart = (kind: string) => `<div data-chart="${kind}" data-scenario="${index}"></div>`;
  return `<section><h2>${escapeHtml(scenario.name)}</h2><p>${escapeHtml(scenario.about)} Medians of rounds of ${size.seconds} s (${size.rounds}), clients: ${size.clients}; the first floor's rounds lie ${Math.round(scenario.noise * 100)} % apart.${notRun.map(([name, why]) => ` ${escapeHtml(name)} was not run: ${escapeHtml(why)}.`).join('')}</p>
<table><thead><tr><th></th>${head.map((title) => `<th>${escapeHtml(title)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>
<div class="charts">${variants.some(({ curve }) => curve.length > 0) ? chart('delays') : ''}${variants.some(({ timeline }) => timeline.length > 0) ? chart('timeline') : ''}${bars(scenario)}</div></section>`;
}

/** Beside us where the benchmark is installed, else from its package. */
const chartLibrary = (file: string): Promise<string> =>
  readFile(new URL(file, import.meta.url), 'utf8').catch(() =>
    readFile(createRequire(import.meta.url).resolve(`uplot/dist/${file}`), 'utf8'),
  );

/** One page with everything in it: the figures, the charts and the library that draws them. */
export async function html(report: Report): Promise<string> {
  const library = await chartLibrary('uPlot.iife.min.js');
  const style = await chartLibrary('uPlot.min.css');
  const { machine, postgres } = report;
  const conditions = `${report.date} · ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.platform} · Node ${report.node} · PostgreSQL ${postgres.version} (${Object.entries(
    postgres.settings,
  )
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')})`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>djr benchmark, ${escapeHtml(report.date)}</title><style>${style}${STYLE}</style></head>
<body><h1>djr benchmark</h1><p>${escapeHtml(conditions)}</p>
${targetSection(report)}
${report.scenarios.map(section).join('\n')}
<script>${library}</script>
<script>const report = ${JSON.stringify(report).replace(/</g, '\\u003c')};${SCRIPT}</script>
</body></html>
`;
}
