import { type Html, html } from './html.js';

/** The page of the live view. Its table is empty and hidden: admin.js shows it and fills it from the stream. */
export function liveBody(root: string, query: URLSearchParams): Html {
  const given = (name: string) => (query.get(name) ?? '').slice(0, 300);
  return html`<div class="heading"><h1>Live</h1><p class="quiet">Events as this instance hands them on. The latest 200 are kept here. All times are UTC<span data-zone></span>.</p></div>
<div id="live-off" class="notice"><p>The live view needs JavaScript. <a href="${root}">The list of events</a> does not.</p></div>
<div id="live" data-stream="${root}live/stream/" data-root="${root}" hidden>
<div class="bar"><p role="status" id="live-state">Connecting…</p>
<div class="actions"><label class="inline">Type begins with <input id="live-type" value="${given('type')}" autocomplete="off" placeholder="order_"></label>
<label class="inline">User <input id="live-user" value="${given('user')}" autocomplete="off"></label>
<label class="inline">Topic <input id="live-topic" value="${given('topic')}" autocomplete="off"></label>
<button type="button" id="live-pause" class="secondary" aria-pressed="false">Pause</button>
<button type="button" id="live-clear" class="secondary">Clear</button></div></div>
<div class="table"><table class="events" aria-label="Events as they come">
<thead><tr><th scope="col">Event</th><th scope="col">For</th><th scope="col">Detail</th><th scope="col">Published</th></tr></thead>
<tbody id="live-rows"></tbody></table></div>
<p class="quiet" id="live-empty">Waiting for an event…</p>
</div>`;
}
