import { type EventRecord, MAX_STEPS, type Step } from '../../database/admin-store.js';
import { audience, statusPill } from './events-page.js';
import { type Html, html } from './html.js';
import { number, time } from './page.js';

const SAYS: Record<string, string> = {
  dispatched: 'An instance handed it on',
  sent: 'Sent to clients',
  delivered: 'The page has got it',
  read: 'The user has read it',
  error: 'A hook failed',
};

export function eventBody(root: string, event: EventRecord): Html {
  const { id, type, key, detail, replay_of, replays, has_private_data } = event;
  const link = (other: string) => html`<a href="${root}events/${other}/">${other}</a> `;
  return html`<nav aria-label="Where you are" class="crumbs"><a href="${root}">Events</a> <span aria-hidden="true">/</span> ${id}</nav>
<div class="heading"><h1 class="type">${type}</h1>
<form action="${root}replay/" method="get"><input type="hidden" name="id" value="${id}"><button type="submit">Replay…</button></form></div>
<dl class="facts">
<div><dt>Id</dt><dd class="id">${id}</dd></div>
<div><dt>Status</dt><dd>${statusPill(event.status)}</dd></div>
<div><dt>For</dt><dd>${audience(event)}</dd></div>
<div><dt>Clients</dt><dd>${number(event.recipients)}</dd></div>
<div><dt>Published</dt><dd>${time(event.created_at)}</dd></div>
${key === null ? '' : html`<div><dt>Key</dt><dd class="long">${key}</dd></div>`}
${replay_of === null ? '' : html`<div><dt>Replay of</dt><dd>${link(replay_of)}</dd></div>`}
${replays.length === 0 ? '' : html`<div><dt>Replayed as</dt><dd>${replays.map(link)}</dd></div>`}
</dl>
<div class="columns">
<section aria-labelledby="detail"><h2 id="detail">Detail</h2>
<pre tabindex="0" aria-label="Detail as JSON" role="region"><code>${detail}</code></pre>
<h2 id="private">Private data</h2>
${
  has_private_data
    ? html`<div id="private-data"><p class="quiet">Never sent to a client. That you looked is logged.</p>
<a class="button quiet" rel="nofollow" href="${root}events/${id}/private/"
  hx-get="${root}events/${id}/private/" hx-target="#private-data" hx-select="#private-data" hx-swap="outerHTML">Show the private data</a></div>`
    : html`<p class="quiet">There is none.</p>`
}
</section>
<section aria-labelledby="activity"><h2 id="activity">Activity</h2>${timeline(event)}</section>
</div>`;
}

function timeline({ activity }: EventRecord): Html {
  if (activity.length === 0) {
    return html`<p class="quiet">Nothing was recorded: no instance has seen it yet, or the setting activity is off.</p>`;
  }
  return html`<ol class="timeline">${activity.slice(0, MAX_STEPS).map(step)}</ol>
${activity.length > MAX_STEPS ? html`<p class="quiet">And more: these are the first ${MAX_STEPS}.</p>` : ''}`;
}

function step({ status, created_at, recipients, user_id, instance }: Step): Html {
  return html`<li class="${status}"><div>${statusPill(status)} <span>${SAYS[status] ?? ''}</span></div>
<div class="quiet">${time(created_at)}${recipients === null ? '' : html` · ${number(recipients)} ${recipients === 1 ? 'client' : 'clients'}`}
${user_id === null ? '' : html` · user <span class="user">${user_id}</span>`}${instance === null ? '' : html` · instance <code>${instance}</code>`}</div></li>`;
}

/** A page of its own without JavaScript; htmx takes the part out of it. */
export function privateBody(root: string, id: string, data: string | undefined): Html {
  return html`<nav aria-label="Where you are" class="crumbs"><a href="${root}">Events</a> <span aria-hidden="true">/</span>
<a href="${root}events/${id}/">${id}</a> <span aria-hidden="true">/</span> private data</nav>
<h1>Private data of event ${id}</h1>
<div id="private-data">${
    data === undefined
      ? html`<p class="quiet">There is none.</p>`
      : html`<pre tabindex="0" role="region" aria-label="Private data"><code>${data}</code></pre>`
  }</div>`;
}
