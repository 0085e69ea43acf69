import type { Pulse } from '../event/frame.js';
import type { Incoming } from './incoming.js';

/** Types that one client may ask for by name, how long their list may be, and how long all that a stream is asked for. */
const MAX_TYPES = 100;
const MAX_LIST = 8192;
export const MAX_QUERY = 12_000;

/** Topics that one client may ask for. */
const MAX_TOPICS = 100;

/** What a stream is asked for. */
export interface StreamQuery {
  get(name: string): string | null;
  types: ReadonlySet<string> | null;
  topics: readonly string[];
  seals: readonly string[];
}

/** @returns undefined where it is too long, or asks for too much */
export function parseQuery(target: string): StreamQuery | undefined {
  const start = target.indexOf('?');
  if (start < 0) return { get: () => null, types: null, topics: [], seals: [] };
  if (target.length - start > MAX_QUERY) return undefined;
  const parameters = new URLSearchParams(target.slice(start + 1));
  const list = parameters.get('types') ?? '';
  if (list.length > MAX_LIST) return undefined;
  const names = list.split(',').filter(Boolean);
  const topics = parameters.getAll('topic');
  const seals = parameters.getAll('seal');
  if (names.length > MAX_TYPES || topics.length > MAX_TOPICS || seals.length > MAX_TOPICS) return undefined;
  return {
    get: (name) => parameters.get(name),
    types: names.length > 0 ? new Set(names) : null,
    topics,
    seals,
  };
}

/**
 * A reader that is built on fetch and not on EventSource may hand a frame without data to its app as an empty message, as
 * `@microsoft/fetch-event-source` does. It is known by what only an EventSource of a browser sends, `Cache-Control: no-cache`,
 * and by what only fetch and browsers send, `Sec-Fetch-Mode`.
 */
export function pulseOf(incoming: Incoming, query: StreamQuery): Pulse {
  if (query.get('heartbeat') === '1') return 'visible';
  const fetched = incoming.header('sec-fetch-mode') !== undefined;
  return fetched && !incoming.header('cache-control')?.includes('no-cache') ? 'comment' : 'silent';
}
