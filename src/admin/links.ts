import type { Field } from './filter.js';
import { type Html, html } from './html.js';
import type { EventSummary } from './store.js';

/** The address of the list of events with one filter. */
const address = (root: string, field: Field, value: string): string =>
  `${root}?${new URLSearchParams({ [field]: value })}`;

export const userLink = (root: string, user: string): Html =>
  html`<a class="user" href="${address(root, 'user', user)}">${user}</a>`;

export const topicLink = (root: string, topic: string): Html =>
  html`<a class="topic" href="${address(root, 'topic', topic)}">${topic}</a>`;

export const typeLink = (root: string, type: string, text: Html): Html =>
  html`<a href="${address(root, 'type', type)}">${text}</a>`;

/** Shows the audience of an event. */
export function audience(root: string, { scope, user_id, topic }: Pick<EventSummary, 'scope' | 'user_id' | 'topic'>) {
  const user = user_id === null ? '' : html` ${userLink(root, user_id)}`;
  const about = topic === null ? '' : html` ${topicLink(root, topic)}`;
  return html`<span class="scope">${scope}</span>${user}${about}`;
}

/** The name of a row: the event's type; for an order of djr what the order does. */
export function titleOf({ scope, type, user_id, topic }: EventSummary): string {
  if (scope !== 'control') return type;
  const whom = user_id === null ? 'everyone' : `user ${user_id}`;
  return `${type} of ${whom}${topic === null ? '' : ` in ${topic}`}`;
}

/** Whether clients can get an event: events of scope system are for subscribers only, and orders for the runtimes. */
const isForClients = ({ scope }: Pick<EventSummary, 'scope'>): boolean => scope !== 'system' && scope !== 'control';

/** Whether an instance has delivered an event for which it had no client. */
export const reachedNobody = (event: Pick<EventSummary, 'scope' | 'status'>): boolean =>
  event.status === 'dispatched' && isForClients(event);

export function statusPill(event: Pick<EventSummary, 'scope' | 'status'>): Html {
  if (reachedNobody(event)) return html`<span class="pill nobody">nobody was connected</span>`;
  if (event.scope === 'control') return html`<span class="pill">order</span>`;
  return stepPill(event.status);
}

export const stepPill = (status: string): Html => html`<span class="pill ${status}">${status}</span>`;
