import type { Detail } from '../../event/event.js';
import type { Asked, Grant, Request } from './words.js';

/** Topics that one stream may ask for, and characters that its address may have: proxies refuse longer ones. */
const MAX_TOPICS = 100;
const MAX_ADDRESS = 11_000;

/** How {@link Asked} writes the place at which a topic begins. */
export const startOf = (since: string) => `since=${since}`;

/** The place at which a topic was asked to begin; '': where the stream begins. */
export function startIn(asked: Asked, topic: string): string {
  const text = asked.get(topic)?.at(-1) ?? '';
  return text.startsWith(startOf('')) ? text.slice(startOf('').length) : '';
}

/** Writes topics into the address of a stream, as many as fit. @returns those that did not fit */
export function askFor(url: URL, asked: Asked): string[] {
  const over: string[] = [];
  let count = 0;
  for (const [topic, texts] of asked) {
    const more = new URLSearchParams({ topic });
    const since = startIn(asked, topic);
    // One seal may cover several topics; it is sent once.
    const shown = url.searchParams.getAll('seal');
    for (const text of since ? texts.slice(0, -1) : texts) if (text && !shown.includes(text)) more.append('seal', text);
    if (since) more.set(`since.${topic}`, since);
    if (++count > MAX_TOPICS || `${url.search}&${more}`.length > MAX_ADDRESS) over.push(topic);
    else for (const [key, text] of more) url.searchParams.append(key, text);
  }
  return over;
}

/** Whether the server must begin with missed events of a topic. */
export const startsEarlier = (asked: Asked | undefined, { topics }: Detail): boolean =>
  !!asked && ((topics ?? []) as string[]).some((topic) => startIn(asked, topic));

/** Reads what a `connected` frame says about topics. The one at the end of a resume says nothing new about them. */
export function grantOf({ asked = new Map(), over }: Request, data: Detail, before: Grant | undefined): Grant {
  const level = data.resuming !== true;
  if (!data.topics && before?.asked === asked) return { ...before, level };
  const { expires = {}, reasons = {} } = data as { [name: string]: Record<string, unknown> | undefined };
  const heard = (data.topics ?? []) as string[];
  const refused = new Map(((data.refused ?? []) as string[]).map((topic) => [topic, `${reasons[topic]}`]));
  for (const topic of over) refused.set(topic, 'one stream has no room for more topics');
  const end = (topic: string) =>
    topic in expires ? Date.now() + Number(expires[topic]) * 1000 : Number.POSITIVE_INFINITY;
  return {
    asked,
    topics: new Map(heard.map((topic) => [topic, end(topic)])),
    refused,
    present: new Map(),
    level,
  };
}
