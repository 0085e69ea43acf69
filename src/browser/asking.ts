import type { Detail } from '../event/event.js';
import type { Line } from './lines.js';
import { type Grant, startOf } from './rooms.js';

/** What one stream may ask for: topics, and characters of its address, for which proxies have room. */
const MAX_TOPICS = 100;
const MAX_ADDRESS = 11_000;

/** Writes the topics of a stream into its address, as far as there is room. */
export function askFor(url: URL, line: Line): void {
  const { searchParams } = url;
  let count = 0;
  line.over = [];
  for (const [topic, shownOf] of line.asked) {
    const more = new URLSearchParams({ topic });
    for (const text of shownOf) {
      if (text.startsWith(startOf(''))) more.set(`since.${topic}`, text.slice(startOf('').length));
      else if (text) more.append('seal', text);
    }
    if (++count > MAX_TOPICS || `${url.search}&${more}`.length > MAX_ADDRESS) line.over.push(topic);
    else for (const [key, text] of more) searchParams.append(key, text);
  }
}

/** What the connected frame says of topics; at the end of a resume it says nothing new of them. */
export function grantOf({ asked, over }: Line, data: Detail, before: Grant | undefined): Grant {
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
