import { type Html, html } from './html.js';
import { topicLink, userLink } from './links.js';
import type { Online, TopicOnline, UserOnline } from './online.js';
import { number, time } from './page.js';

const streams = (count: number): string => `${number(count)} ${count === 1 ? 'stream' : 'streams'}`;

/** Shows whether a user is connected now. */
export function userOnline(root: string, { streams: count, since, topics }: UserOnline): Html {
  if (since === null) return html`<span class="pill nobody">not connected now</span>`;
  return html`<span class="pill sent">connected now</span> ${streams(count)} since ${time(since)}${
    topics.length === 0 ? '' : html`, in ${topics.map((topic) => html`${topicLink(root, topic)} `)}`
  }`;
}

/** Shows who hears a topic now. */
export function topicOnline(root: string, { users, streams: count, first }: TopicOnline): Html {
  if (users === 0) return html`<span class="pill nobody">no user hears it now</span>`;
  const more = users - first.length;
  return html`<span class="pill sent">${number(users)} ${users === 1 ? 'user hears' : 'users hear'} it now</span> ${streams(count)}:
${first.map(({ id }) => html`${userLink(root, id)} `)}${more > 0 ? html`and ${number(more)} more` : ''}`;
}

/** Shows, above a list that was searched for a user or a topic, who is connected now. */
export function onlinePanel(root: string, { user, topic }: Online): Html | '' {
  if (!user && !topic) return '';
  return html`<div class="online">${user ? html`<p>User <b>${user.id}</b>: ${userOnline(root, user)}</p>` : ''}
${topic ? html`<p>Topic <b>${topic.name}</b>: ${topicOnline(root, topic)}</p>` : ''}</div>`;
}
