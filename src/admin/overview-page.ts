import type { ConsumerRow } from '../consume/consumer-list.js';
import type { Sample } from '../instance/series.js';
import type { InstanceRow } from '../instance/statistics.js';
import type { Health } from '../telemetry/health.js';
import { sparkline } from './chart.js';
import { consumerTable } from './consumer-table.js';
import { type Html, html } from './html.js';
import { number, time } from './page.js';
import type { AdminSettings } from './store.js';

export interface OverviewView {
  root: string;
  /** The name of the instance that answers. */
  instance: string;
  samples: readonly Sample[];
  health: Health;
  /** Undefined: PostgreSQL does not answer. */
  stored: { settings: AdminSettings; instances: InstanceRow[]; consumers: ConsumerRow[] } | undefined;
}

export function overviewBody(view: OverviewView): Html {
  const { root, health } = view;
  return html`<div class="heading"><h1>Overview</h1><p class="quiet">Of this instance, <code>${view.instance}</code>, every 5 seconds for the last ten minutes.</p></div>
<div id="overview" hx-get="${root}overview/" hx-trigger="every 5s" hx-select="#overview" hx-swap="outerHTML"
  hx-status:5xx="swap:none">
<section aria-label="Health" class="health ${health.ok ? 'ok' : 'failing'}">
<p><strong>${health.ok ? 'All is well.' : 'This instance cannot serve its clients.'}</strong>
${[...health.problems, ...health.warnings].map((text) => html`<span>${text}</span> `)}</p></section>
${charts(view.samples)}
${
  view.stored
    ? html`${instanceTable(view.stored.instances, view.instance)}
${consumerTable(view.stored.consumers)}
${settingsList(view.stored.settings)}`
    : html`<section class="hint" role="status">PostgreSQL does not answer, so the other instances and the settings are not shown. What stands above is from this instance's memory.</section>`
}
</div>`;
}

function charts(samples: readonly Sample[]): Html {
  const of = (key: keyof Sample) => samples.map((sample) => sample[key]);
  const rate = (value: number) => `${number(value)}/s`;
  return html`<section aria-labelledby="minutes"><h2 id="minutes">The last minutes</h2><div class="charts">
${sparkline({ name: 'Connections', values: of('connections'), format: number })}
${sparkline({ name: 'Events', values: of('eventsPerSecond'), format: rate })}
${sparkline({ name: 'Deliveries', values: of('deliveriesPerSecond'), format: rate })}
${sparkline({ name: 'Lag, 99th percentile', values: of('lagMs'), format: (ms) => `${number(ms)} ms`, atLeast: 10 })}
${sparkline({ name: 'Errors', values: of('errors'), format: number })}
${sparkline({ name: 'NOTIFY queue', values: of('queueUsage'), format: (part) => `${number(part * 100)} %`, atLeast: 0.01 })}
</div></section>`;
}

function instanceTable(instances: InstanceRow[], instance: string): Html {
  if (instances.length === 0) {
    return html`<section><h2>Instances</h2><p class="quiet">None has said yet that it is there: each does every 5 seconds.</p></section>`;
  }
  const rows = instances.map(
    (
      row,
    ) => html`<tr${row.gone ? html` class="gone"` : ''}><th scope="row"><code>${row.name}</code>${row.name === instance ? html` <span class="scope">this one</span>` : ''}<br>
<span class="quiet">${row.host} · ${row.version}</span></th>
<td data-label="State">${row.gone ? html`<span class="pill error">gone</span>` : html`<span class="pill sent">there</span>`}</td>
<td class="figure" data-label="Clients">${number(row.connections)}</td><td class="figure" data-label="Events">${number(row.events)}</td>
<td class="figure" data-label="Deliveries">${number(row.deliveries)}</td><td class="figure" data-label="Errors">${number(row.errors)}</td>
<td class="figure" data-label="Lag">${row.lag_ms === null ? '–' : `${number(row.lag_ms)} ms`}</td>
<td class="when" data-label="Started">${time(row.started_at)}</td><td class="when" data-label="Seen">${time(row.seen_at)}</td></tr>`,
  );
  return html`<section aria-labelledby="instances"><h2 id="instances">Instances</h2><div class="table" tabindex="0" role="region" aria-label="Instances and their figures"><table class="instances">
<thead><tr><th scope="col">Instance</th><th scope="col">State</th><th scope="col" class="figure">Clients</th><th scope="col" class="figure">Events</th>
<th scope="col" class="figure">Deliveries</th><th scope="col" class="figure">Errors</th><th scope="col" class="figure">Lag</th><th scope="col">Started</th><th scope="col">Seen</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

function settingsList({ storage, activity, delivery, retention, mode }: AdminSettings): Html {
  const rows: [string, string][] = [
    ['Storage', storage ? 'on' : 'off: no resume, no replay'],
    ['Activity', activity],
    ['Delivery', `${delivery}, now ${mode}`],
    ['Retention', retention ?? 'for ever'],
  ];
  return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2><dl class="facts">
${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
