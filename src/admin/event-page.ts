import { type Html, html } from './html.js';
import { audience, reachedNobody, statusPill, stepPill, titleOf, typeLink, userLink } from './links.js';
import type { Online } from './online.js';
import { topicOnline, userOnline } from './online-panel.js';
import { number, time } from './page.js';
import { type EventRecord, MAX_STEPS, type Step } from './store.js';

const SAYS: Record<string, string> = {
  dispatched: 'An instance passed it to its subscribers and clients',
  sent: 'Sent to clients',
  delivered: 'The page has got it',
  read: 'The user has read it',
  error: 'A hook failed',
};

/** @param online - which of the event's users are connected now; undefined: the option `presence` is off */
export function eventBody(root: string, event: EventRecord, online: Online | undefined): Html {
  const { id, type, key, detail, replay_of, replays, has_private_data } = event;
  const link = (other: string) => html`<a href="${root}events/${other}/">${other}</a> `;
  return html`<nav aria-label="Where you are" class="crumbs"><a href="${root}">Events</a> <span aria-hidden="true">/</span> ${id}</nav>
<div class="heading"><h1 class="type">${titleOf(event)}</h1>
${
  event.scope === 'control'
    ? html`<p class="quiet">An order of djr itself: every instance carries it out, and no client gets it.</p>`
    : html`<form action="${root}replay/" method="get"><input type="hidden" name="id" value="${id}"><button type="submit">Replay…</button></form>`
}</div>
<dl class="facts">
<div><dt>Id</dt><dd class="id">${id}</dd></div>
<div><dt>Type</dt><dd>${typeLink(root, type, html`${type}`)}</dd></div>
<div><dt>Status</dt><dd>${statusPill(event)}</dd></div>
<div><dt>For</dt><dd>${audience(root, event)}</dd></div>
<div><dt>Clients</dt><dd>${number(event.recipients)}</dd></div>
<div><dt>Published</dt><dd>${time(event.created_at)}</dd></div>
${key === null ? '' : html`<div><dt>Key</dt><dd class="long">${key}</dd></div>`}
${replay_of === null || event.scope === 'control' ? '' : html`<div><dt>Replay of</dt><dd>${link(replay_of)}</dd></div>`}
${replays.length === 0 ? '' : html`<div><dt>Replayed as</dt><dd>${replays.map(link)}</dd></div>`}
${online?.user ? html`<div class="wide"><dt>The user</dt><dd>${userOnline(root, online.user)}</dd></div>` : ''}
${online?.topic ? html`<div class="wide"><dt>The topic</dt><dd>${topicOnline(root, online.topic)}</dd></div>` : ''}
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
<section aria-labelledby="activity"><h2 id="activity">Activity</h2>${timeline(root, event)}</section>
</div>`;
}

function timeline(root: string, event: EventRecord): Html {
  const { activity, scope } = event;
  if (scope === 'control') return html`<p class="quiet">Of orders nothing is recorded.</p>`;
  if (activity.length === 0) {
    return html`<p class="quiet">Nothing was recorded: no instance has seen it yet, or the setting activity is off.</p>`;
  }
  return html`<ol class="timeline">${activity.slice(0, MAX_STEPS).map((each) => step(root, event, each))}</ol>
${reachedNobody(event) ? html`<p class="quiet">No client that may get it was connected, or beforeSend kept it from each. A page that reconnects in time gets it still.</p>` : ''}
${activity.length > MAX_STEPS ? html`<p class="quiet">And more: these are the first ${MAX_STEPS}.</p>` : ''}`;
}

function step(root: string, event: EventRecord, { status, created_at, recipients, user_id, instance }: Step): Html {
  return html`<li class="${status}"><div>${status === event.status ? statusPill(event) : stepPill(status)} <span>${SAYS[status] ?? ''}</span></div>
<div class="quiet">${time(created_at)}${recipients === null ? '' : html` · ${number(recipients)} ${recipients === 1 ? 'client' : 'clients'}`}
${user_id === null ? '' : html` · user ${userLink(root, user_id)}`}${instance === null ? '' : html` · instance <code>${instance}</code>`}</div></li>`;
}

/** The private data: without JavaScript a page of its own, from which htmx takes the part that it shows. */
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
