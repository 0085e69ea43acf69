import { eventTable } from './events-page.js';
import { type Html, html } from './html.js';
import { type EventSummary, MAX_REPLAY } from './store.js';

const events = (count: number): string => (count === 1 ? 'this event' : `these ${count} events`);

/** The page that asks before events are sent again. */
export function confirmBody(
  root: string,
  found: EventSummary[],
  leftOut: { gone: string[]; orders: string[] },
  token: string,
): Html {
  const ids = found.map(({ id }) => id);
  const everyone = found.filter(({ scope }) => scope === 'public').length;
  return html`<nav aria-label="Where you are" class="crumbs"><a href="${root}">Events</a> <span aria-hidden="true">/</span> replay</nav>
<h1>Replay ${events(ids.length)}?</h1>
<p>Each is sent again as a new event, with the same type, detail, user and topic, to whoever it is for.
${everyone > 0 ? html`<strong>${everyone === ids.length ? 'Every connected client gets it.' : `Every connected client gets ${everyone} of them.`}</strong>` : ''}</p>
${leftOut.gone.length > 0 ? html`<p class="hint">No longer there, and left out: ${leftOut.gone.join(', ')}.</p>` : ''}
${leftOut.orders.length > 0 ? html`<p class="hint">Orders of djr itself are not replayed, and left out: ${leftOut.orders.join(', ')}.</p>` : ''}
${eventTable(root, found, false)}
<form action="${root}replay/" method="post" class="bar">
<input type="hidden" name="token" value="${token}"><input type="hidden" name="ids" value="${ids.join(',')}">
<div class="actions"><button type="submit">Replay ${events(ids.length)}</button><a class="button quiet" href="${root}">Cancel</a></div>
</form>`;
}

export function doneBody(root: string, replayed: EventSummary[]): Html {
  return html`<nav aria-label="Where you are" class="crumbs"><a href="${root}">Events</a> <span aria-hidden="true">/</span> replay</nav>
<div role="status"><h1>${replayed.length === 1 ? 'Replayed' : `${replayed.length} events replayed`}</h1>
<p>These are the new events. Load the page again to see how far they got.</p></div>
${eventTable(root, replayed, false)}
<p><a href="${root}">To the events</a></p>`;
}

/** Reads the ids of a form. @returns the ids without repeats, or what is wrong with them */
export function readIds(texts: string[], isId: (text: string) => boolean): string[] | string {
  const ids = [...new Set(texts.filter(Boolean))];
  if (ids.length === 0) return 'No event is selected.';
  if (!ids.every(isId)) return 'Ids are whole numbers.';
  if (ids.length > MAX_REPLAY) return `At most ${MAX_REPLAY} events are replayed at a time.`;
  return ids;
}
