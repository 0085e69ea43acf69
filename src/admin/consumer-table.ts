import type { ConsumerRow } from '../consume/consumer-list.js';
import { type Html, html } from './html.js';
import { number, time } from './page.js';

/** The table of consumers; empty if there are none. */
export function consumerTable(consumers: ConsumerRow[]): Html | '' {
  if (consumers.length === 0) return '';
  const rows = consumers.map(
    ({ name, types, topics, lag, age, moved_at, overtaken }) => html`<tr><th scope="row"><code>${name}</code><br>
<span class="quiet">${[...(types ?? ['every type']), ...(topics ?? [])].join(', ')}</span></th>
<td data-label="State">${overtaken === null ? html`<span class="pill sent">goes on</span>` : html`<span class="pill error">overtaken</span> ${overtaken}`}</td>
<td class="figure" data-label="Events due">${number(lag)}</td>
<td class="figure" data-label="Oldest">${age === null ? '–' : `${number(age)} s`}</td>
<td class="when" data-label="Moved">${time(moved_at)}</td></tr>`,
  );
  return html`<section aria-labelledby="consumers"><h2 id="consumers">Consumers</h2><div class="table" tabindex="0" role="region" aria-label="Consumers and how far behind they are"><table class="instances">
<thead><tr><th scope="col">Consumer</th><th scope="col">State</th><th scope="col" class="figure">Events due</th><th scope="col" class="figure">Oldest</th><th scope="col">Moved</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}
