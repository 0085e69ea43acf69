import { SCOPES as EVENT_SCOPES } from '../event/audience.js';
import type { Scope } from '../event/event.js';
import { printable } from '../lib/printable.js';
import { type EventFilter, type EventScope, type EventState, type PageKey, STATUSES } from './event-filter.js';

export const SCOPES: readonly EventScope[] = [...(Object.keys(EVENT_SCOPES) as Scope[]), 'control'];

/** The choices of recent times, in minutes. */
export const RECENT: Record<string, number> = {
  'last 15 minutes': 15,
  'last hour': 60,
  'last 24 hours': 24 * 60,
  'last 7 days': 7 * 24 * 60,
  'last 30 days': 30 * 24 * 60,
};

/** The search in the address of the list: as it was typed, for the form; as it was understood, for the query; and what was not understood. */
export interface Search {
  typed: Record<Field, string>;
  filter: EventFilter;
  key: PageKey;
  problems: string[];
}

export const FIELDS = ['id', 'type', 'scope', 'status', 'user', 'topic', 'recent', 'from', 'to', 'detail'] as const;
export type Field = (typeof FIELDS)[number];

/** The largest bigint of PostgreSQL. */
const MAX_ID = 2n ** 63n - 1n;
const MAX_TEXT = 300;
const MAX_DETAIL = 4000;

export const isId = (text: string): boolean => /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_ID;

export function readSearch(query: URLSearchParams): Search {
  const typed = Object.fromEntries(
    FIELDS.map((field) => [field, withInvisible((query.get(field) ?? '').trim())]),
  ) as Search['typed'];
  const filter: EventFilter = {};
  const problems: string[] = [];

  if (typed.id && isId(typed.id)) filter.id = typed.id;
  else if (typed.id) problems.push(`The id must be a whole number (it is “${typed.id}”).`);
  for (const field of ['type', 'user', 'topic'] as const) {
    if (typed[field].length > MAX_TEXT || typed[field].includes('\0'))
      problems.push(`The ${field} is too long, or has a character that no text has.`);
    else if (typed[field]) filter[field] = typed[field];
  }
  if ((SCOPES as string[]).includes(typed.scope)) filter.scope = typed.scope as EventScope;
  else if (typed.scope)
    problems.push(`The scope must be user, public, topic, system or control (it is “${typed.scope}”).`);
  if ((STATUSES as readonly string[]).includes(typed.status)) filter.status = typed.status as EventState;
  else if (typed.status) problems.push(`The status must be one of ${STATUSES.join(', ')} (it is “${typed.status}”).`);
  const minutes = RECENT[typed.recent];
  if (minutes !== undefined) filter.from = new Date(Date.now() - minutes * 60_000);
  else if (typed.recent) {
    problems.push(`The time must be one of ${Object.keys(RECENT).join(', ')} (it is “${typed.recent}”).`);
  }
  for (const field of ['from', 'to'] as const) {
    const date = readDate(typed[field]);
    // If both a preset and a date are given, the later one applies.
    if (date) filter[field] = field === 'from' && filter.from && filter.from > date ? filter.from : date;
    else if (typed[field])
      problems.push(`“${field}” must be a date and time like 2026-11-25 09:30, in UTC (it is “${typed[field]}”).`);
  }
  if (typed.detail) {
    const detail = readDetail(typed.detail);
    if (detail) filter.detail = detail;
    else problems.push('What the detail contains must be a JSON object like {"order": 7}.');
  }
  return { typed, filter, key: readKey(query), problems };
}

/** Turns written-out invisible characters back into the characters: pages write them out, also in the fields of the form. */
const withInvisible = (text: string): string =>
  text.replace(/\\u(?:([0-9a-f]{4})|\{([0-9a-f]{1,6})\})/gi, (written, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long!, 16);
    if (code > 0x10ffff) return written;
    const character = String.fromCodePoint(code);
    return printable(character) === character ? written : character;
  });

function readKey(query: URLSearchParams): PageKey {
  const [before, after] = [query.get('before') ?? '', query.get('after') ?? ''];
  if (isId(before)) return { before };
  return isId(after) ? { after } : {};
}

/** Reads a time. A date alone means its midnight in UTC, as all times on the pages are UTC. */
function readDate(text: string): Date | undefined {
  const [, day, clock = '00:00'] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?Z?$/.exec(text) ?? [];
  if (day === undefined) return undefined;
  const date = new Date(`${day}T${clock}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function readDetail(text: string): string | undefined {
  if (text.length > MAX_DETAIL || text.includes('\\u0000')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // The text is kept as it was typed, so that no number is rounded.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The address of one page of this search. */
export function searchQuery(typed: Search['typed'], key: PageKey): string {
  const query = new URLSearchParams();
  for (const field of FIELDS) if (typed[field]) query.set(field, typed[field]);
  if (key.before !== undefined) query.set('before', key.before);
  if (key.after !== undefined) query.set('after', key.after);
  const text = query.toString();
  return text ? `?${text}` : '';
}
