import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { format, metrics } from '../metrics.js';
import type { Report, ScenarioReport } from './report.js';

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
td, th { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
.charts { display: flex; flex-wrap: wrap; gap: 2rem; margin: 1rem 0 3rem; }
.failed { color: #b00020; font-weight: 600; }
`;

/** Runs in the page, with uPlot and the report: a chart is drawn where its element says which. */
const SCRIPT = `
const colors = ['#888', '#4477aa', '#228833', '#cc6677', '#aa3377', '#ee9933', '#66ccee', '#222'];
const series = (variants) => variants.map((v, i) => ({ label: v.name, stroke: colors[i % colors.length], width: v.floor ? 1 : 2, dash: v.floor ? [6, 4] : undefined }));
const size = { width: Math.min(560, document.body.clientWidth), height: 300 };
for (const element of document.querySelectorAll('[data-chart]')) {
  const scenario = report.scenarios[element.dataset.scenario];
  const kind = element.dataset.chart;
  if (kind === 'delays') {
    const variants = scenario.variants.filter((v) => v.curve.length);
    const percentiles = variants[0].curve.map(([p]) => p);
    new uPlot({ ...size, title: 'Delay by percentile, ms', scales: { x: { time: false }, y: { distr: 3 } },
      axes: [{ values: (_, ticks) => ticks.map((i) => percentiles[i] === undefined ? '' : percentiles[i] + ' %') }, {}],
      series: [{ label: 'percentile', value: (_, i) => i == null ? '' : percentiles[i] + ' %' }, ...series(variants)] },
      [percentiles.map((_, i) => i), ...variants.map((v) => v.curve.map(([, ms]) => ms))], element);
  } else if (kind === 'timeline') {
    const variants = scenario.variants.filter((v) => v.timeline.length);
    const length = Math.max(...variants.map((v) => v.timeline.length));
    new uPlot({ ...size, title: 'Deliveries a second over time (last round)', scales: { x: { time: false } }, axes: [{}, { size: 70 }],
      series: [{ label: 'seconds' }, ...series(variants)] },
      [Array.from({ length }, (_, i) => i / 10), ...variants.map((v) => Array.from({ length }, (_, i) => (v.timeline[i] ?? 0) * 10))], element);
  } else {
    const metric = scenario.headline[0];
    const floor = scenario.variants.find((v) => v.floor);
    const variants = scenario.variants.filter((v) => v === floor || v.ratios[floor.name]);
    const bars = uPlot.paths.bars({ size: [0.6, 80] });
    new uPlot({ ...size, title: metric + ' as a multiple of ' + floor.name, legend: { show: false },
      scales: { x: { time: false, range: [-0.5, variants.length - 0.5] }, y: { range: (_, min, max) => [0, max * 1.1] } },
      axes: [{ splits: variants.map((_, i) => i), values: () => variants.map((v) => v.name) }, {}],
      series: [{}, { stroke: '#4477aa', fill: '#4477aa88', paths: bars, points: { show: false } }] },
      [variants.map((_, i) => i), variants.map((v) => v === floor ? 1 : v.ratios[floor.name][metric] ?? null)], element);
  }
}
`;

function section(scenario: ScenarioReport, index: number): string {
  const { variants, columns, headline, size } = scenario;
  const floors = variants.filter(({ floor }) => floor);
  const head = [
    ...columns.map((metric) => `${metrics[metric].title} ${metrics[metric].unit}`),
    ...floors.flatMap((floor) => headline.map((metric) => `${metrics[metric].title} × ${floor.name}`)),
  ];
  const rows = variants.map((variant) => {
    const cells = [
      ...columns.map((metric) => variant.metrics[metric]),
      ...floors.flatMap((floor) => headline.map((metric) => variant.ratios[floor.name]?.[metric])),
    ];
    const failed =
      variant.failures.length > 0 ? ` <span class="failed">${escapeHtml(variant.failures.join('; '))}</span>` : '';
    return `<tr><td>${escapeHtml(variant.name)}${failed}</td>${cells.map((value) => `<td>${value === undefined ? '' : format(value)}</td>`).join('')}</tr>`;
  });
  const chart = (kind: string) => `<div data-chart="${kind}" data-scenario="${index}"></div>`;
  return `<section><h2>${escapeHtml(scenario.name)}</h2><p>${escapeHtml(scenario.about)} Medians of ${size.rounds} rounds of ${size.seconds} s; ${size.clients} clients; the first floor's rounds lie ${Math.round(scenario.noise * 100)} % apart.</p>
<table><thead><tr><th></th>${head.map((title) => `<th>${escapeHtml(title)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>
<div class="charts">${variants.some(({ curve }) => curve.length > 0) ? chart('delays') : ''}${variants.some(({ timeline }) => timeline.length > 0) ? chart('timeline') : ''}${floors.length > 0 && headline.length > 0 ? chart('ratio') : ''}</div></section>`;
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
${report.scenarios.map(section).join('\n')}
<script>${library}</script>
<script>const report = ${JSON.stringify(report).replace(/</g, '\\u003c')};${SCRIPT}</script>
</body></html>
`;
}
