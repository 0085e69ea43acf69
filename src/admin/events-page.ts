import { STATUSES } from './event-filter.js';
import { FIELDS, type Field, RECENT, SCOPES, type Search, searchQuery } from './filter.js';
import { type Html, html } from './html.js';
import { audience, statusPill, titleOf, typeLink } from './links.js';
import type { Online } from './online.js';
import { onlinePanel } from './online-panel.js';
import { number, time } from './page.js';
import type { EventPage, EventSummary } from './store.js';

export interface EventsView {
  root: string;
  search: Search;
  /** The events that were found; undefined: the search failed. */
  found: EventPage | undefined;
  /** Why the search failed. */
  failure: string | undefined;
  types: string[];
  detailIndex: boolean;
  /** Who is connected now, for the user or topic of the search; undefined: it names neither, or the option `presence` is off. */
  online?: Online | undefined;
}

/** What a status means, if its name alone does not say it. */
const STATUS_NAMES: Record<string, string> = { dispatched: 'dispatched: nobody was connected' };

export function eventsBody(view: EventsView): Html {
  const { root, search, types } = view;
  return html`<div class="heading"><h1>Events</h1><p class="quiet">Newest first. All times are UTC<span data-zone></span>.</p></div>
<search aria-label="Events"><details class="fold" open><summary>Search and filter</summary><form class="filter" action="${root}" method="get"
  hx-get="${root}" hx-target="#results" hx-select="#results" hx-swap="outerHTML" hx-push-url="true">
${field(search, 'type', 'Type', 'list="types" placeholder="order_*"')}
${field(search, 'user', 'User', '')}
${field(search, 'topic', 'Topic', 'placeholder="room:*"')}
${choice(search, 'scope', 'Scope', SCOPES)}
${choice(search, 'status', 'Status', STATUSES)}
${field(search, 'id', 'Id', 'inputmode="numeric"')}
${choice(search, 'recent', 'Published', Object.keys(RECENT))}
${field(search, 'from', 'From', 'placeholder="2026-11-25 09:30"')}
${field(search, 'to', 'Before', 'placeholder="2026-11-26"')}
${field(search, 'detail', 'Detail contains', `placeholder='{"order": 7}' spellcheck="false"`)}
<div class="actions"><button type="submit">Search</button>
<a class="button quiet" href="${root}">Clear</a></div>
<datalist id="types">${types.map((type) => html`<option value="${type}"></option>`)}</datalist>
</form></details></search>
${results(view)}`;
}

/** @param attributes - written by this code, as they are not escaped */
function field({ typed }: Search, name: Field, label: string, attributes: string): Html {
  const own = Object.assign(new String(attributes), { isEscaped: true });
  return html`<label class="f-${name}">${label}<input name="${name}" value="${typed[name]}" autocomplete="off" ${own}></label>`;
}

function choice({ typed }: Search, name: Field, label: string, values: readonly string[]): Html {
  const options = values.map(
    (value) =>
      html`<option value="${value}"${value === typed[name] ? html` selected` : ''}>${STATUS_NAMES[value] ?? value}</option>`,
  );
  return html`<label class="f-${name}">${label}<select name="${name}"><option value="">any</option>${options}</select></label>`;
}

function results(view: EventsView): Html {
  const { root, search, found, failure, detailIndex, online } = view;
  const above = html`${active(search, root)}${online ? onlinePanel(root, online) : ''}`;
  const slow =
    search.filter.detail !== undefined && !detailIndex
      ? html`<p class="hint">There is no index on the detail: this looks through the events for up to 3 seconds. docs/admin.md has the index, and what it costs.</p>`
      : '';
  if (!found) {
    return html`<section id="results"><div class="notice" role="alert">
${search.problems.map((problem) => html`<p>${problem}</p>`)}${failure ? html`<p>${failure}</p>` : ''}</div>${slow}</section>`;
  }
  if (found.events.length === 0) return html`<section id="results">${above}${slow}${nothing(view)}</section>`;
  return html`<section id="results" aria-label="Events found">
${above}${slow}
<form action="${root}replay/" method="get">
${eventTable(root, found.events, true)}
<div class="bar"><button type="submit" class="secondary">Replay the selected…</button>${pager(view, found)}</div>
</form></section>`;
}

/** Shows what is searched for, as the form may be folded; and a link to the same in the live view. */
function active({ typed }: Search, root: string): Html | '' {
  const words = FIELDS.filter((name) => typed[name]).map((name) => html`<b>${name}</b> ${typed[name]} `);
  const live = new URLSearchParams();
  for (const name of ['type', 'user', 'topic'] as const) {
    // The live view accepts the beginning of a type, but only whole users and topics.
    const value = name === 'type' ? typed.type.replace(/\*$/, '') : typed[name];
    if (value && !value.endsWith('*')) live.set(name, value);
  }
  return words.length === 0
    ? ''
    : html`<p class="active">Only ${words}<a href="${root}">Clear</a>${live.size === 0 ? '' : html` <a href="${root}live/?${live}">Watch live</a>`}</p>`;
}

function nothing({ root, search }: EventsView): Html {
  const key = search.key.before ?? search.key.after;
  const searching = Object.values(search.typed).some(Boolean);
  if (key !== undefined) {
    return html`<div class="notice"><p>There are no more.</p><p><a href="${root}${searchQuery(search.typed, {})}">To the newest</a></p></div>`;
  }
  if (searching) {
    return html`<div class="notice"><p>No event is like that.</p><p class="quiet">A type, user or topic is searched for exactly; with * at its end, for what begins so.</p></div>`;
  }
  return html`<div class="notice"><h2>No events yet</h2><p>Publish one, and load this page again:</p>
<pre><code>select djr.publish_public('hello', '{"from": "psql"}');</code></pre></div>`;
}

function pager({ root, search }: EventsView, { events, older, newer }: EventPage): Html {
  const link = (text: string, rel: string, key: Search['key']) =>
    html`<a class="button quiet" rel="${rel}" href="${root}${searchQuery(search.typed, key)}">${text}</a>`;
  return html`<nav class="pager" aria-label="Pages of events">
${newer ? html`${link('Newest', 'first', {})} ${link('← Newer', 'prev', { after: events[0]!.id })}` : ''}
${older ? link('Older →', 'next', { before: events.at(-1)!.id }) : html`<span class="quiet">The end</span>`}
</nav>`;
}

/** @param selectable - whether each row has a box */
export function eventTable(root: string, events: EventSummary[], selectable: boolean): Html {
  return html`<div class="table"><table class="events">
<thead><tr>${selectable ? html`<th scope="col" class="select"><input type="checkbox" data-select-all hidden aria-label="Select all of this page"></th>` : ''}
<th scope="col">Event</th><th scope="col">For</th><th scope="col">Status</th><th scope="col">Detail</th><th scope="col">Published</th></tr></thead>
<tbody>${events.map((event) => row(root, event, selectable))}</tbody>
</table></div>`;
}

function row(root: string, event: EventSummary, selectable: boolean): Html {
  const { id, type, scope, recipients, errors, preview, replay_of } = event;
  return html`<tr>${selectable ? html`<td class="select">${scope === 'control' ? '' : html`<input type="checkbox" name="id" value="${id}" aria-label="Select event ${id}">`}</td>` : ''}
<th scope="row"><a href="${root}events/${id}/"><span class="type">${titleOf(event)}</span> <span class="id">${id}</span></a>
${typeLink(root, type, html`<small class="like">all<span class="hidden"> of this type</span></small>`)}
${replay_of === null || scope === 'control' ? '' : html`<span class="replayed">replay of ${replay_of}</span>`}</th>
<td class="whom">${audience(root, event)}</td>
<td class="state">${statusPill(event)}${recipients > 0 ? html` <span class="count">${number(recipients)} ${recipients === 1 ? 'client' : 'clients'}</span>` : ''}
${errors > 0 ? html` <span class="count bad">${number(errors)} ${errors === 1 ? 'error' : 'errors'}</span>` : ''}</td>
<td class="detail"><code>${preview}</code></td>
<td class="when">${time(event.created_at)}</td></tr>`;
}
