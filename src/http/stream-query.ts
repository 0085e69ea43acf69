import type { Pulse } from '../event/frame.js';
import type { Incoming } from './incoming.js';

/** Types that one client may ask for, characters of their list, and characters of the whole query. */
const MAX_TYPES = 100;
const MAX_LIST = 8192;
export const MAX_QUERY = 12_000;

/** Topics that one client may ask for. */
const MAX_TOPICS = 100;

/** The query of a request for a stream. */
export interface StreamQuery {
  get(name: string): string | null;
  types: ReadonlySet<string> | null;
  topics: readonly string[];
  seals: readonly string[];
}

/** @returns undefined if the query is too long, or asks for too many types or topics */
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
 * The form of a client's heartbeats. A reader that uses fetch instead of EventSource, such as `@microsoft/fetch-event-source`, may pass
 * a frame without data to its app as an empty message, so it gets comments. It is recognized by its headers: browsers send
 * `Sec-Fetch-Mode` with fetch and with EventSource, but `Cache-Control: no-cache` only with EventSource.
 */
export function pulseOf(incoming: Incoming, query: StreamQuery): Pulse {
  if (query.get('heartbeat') === '1') return 'visible';
  const fetched = incoming.header('sec-fetch-mode') !== undefined;
  return fetched && !incoming.header('cache-control')?.includes('no-cache') ? 'comment' : 'silent';
}
