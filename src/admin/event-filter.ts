import type { Scope } from '../event/event.js';
import { milliseconds } from '../postgres/types.js';

/** The steps of an event; the furthest one is its status. */
export const STATUSES = ['new', 'dispatched', 'error', 'sent', 'delivered', 'read'] as const;
export type EventState = (typeof STATUSES)[number];

/** The scope of a stored row. `control` marks an order of djr itself (`djr.disconnect`, `djr.recheck`), which is no event of the app. */
export type EventScope = Scope | 'control';

/** Which events to list. Ids are texts, as a number cannot hold every bigint. */
export interface EventFilter {
  id?: string | undefined;
  /** The exact type, or with `*` at its end the beginning of types. */
  type?: string | undefined;
  scope?: EventScope | undefined;
  status?: EventState | undefined;
  /** As `type`. */
  user?: string | undefined;
  /** As `type`. */
  topic?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** A JSON object that the detail contains. */
  detail?: string | undefined;
}

/** A page of the list: events that are older or newer than one event; without either the newest events. */
export interface PageKey {
  before?: string | undefined;
  after?: string | undefined;
}

export interface ListQuery {
  text: string;
  values: unknown[];
}

const EQUALS = 'operator(pg_catalog.=)';

const prefix = (text: string): string => `${text.slice(0, -1).replace(/[\\%_]/g, '\\$&')}%`;

/** The SQL of the list: pages by key (the id), without offset and count. */
export function listQuery(filter: EventFilter, key: PageKey, limit: number): ListQuery {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const conditions: string[] = [];
  const add = (condition: string) => conditions.push(condition);
  const text = (column: string, value: string) =>
    add(
      value.endsWith('*')
        ? `${column} operator(pg_catalog.~~) ${bind(prefix(value))}`
        : `${column} ${EQUALS} ${bind(value)}`,
    );

  if (filter.id !== undefined) add(`id ${EQUALS} ${bind(filter.id)}`);
  if (filter.type !== undefined) text('type', filter.type);
  if (filter.scope !== undefined) add(`scope ${EQUALS} ${bind(filter.scope)}`);
  if (filter.user !== undefined) text('user_id', filter.user);
  if (filter.topic !== undefined) text('topic', filter.topic);
  if (filter.from !== undefined) add(`created_at operator(pg_catalog.>=) ${bind(filter.from)}`);
  if (filter.to !== undefined) add(`created_at operator(pg_catalog.<) ${bind(filter.to)}`);
  if (filter.detail !== undefined) add(`detail operator(pg_catalog.@>) ${bind(filter.detail)}::pg_catalog.jsonb`);
  if (key.before !== undefined) add(`id operator(pg_catalog.<) ${bind(key.before)}`);
  if (key.after !== undefined) add(`id operator(pg_catalog.>) ${bind(key.after)}`);
  // The status is looked up only for the rows of a page, unless the search asks for it.
  const source = filter.status === undefined ? 'djr.event' : WITH_STATUS;
  if (filter.status !== undefined) add(`status ${EQUALS} ${bind(filter.status)}`);
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const order = key.after === undefined ? 'desc' : 'asc';
  const found = `select id from ${source}${where} order by id ${order} limit ${bind(limit)}`;
  return {
    text: `select ${SUMMARY} from (${found}) found, ${SOURCE} where event.id ${EQUALS} found.id order by found.id ${order}`,
    values,
  };
}

/** Characters of a detail in the list. */
const PREVIEW = 200;

/** The source of events for a search by status. */
const WITH_STATUS = `(select event.*, status.status from djr.event event join djr.event_status status on status.id ${EQUALS} event.id) searched`;

/** The source of `SUMMARY`. The view has no topic, because its columns must stay those of the first release: otherwise a migration's SQL could not run again. */
export const SOURCE = `djr.event_status event join djr.event stored on stored.id ${EQUALS} event.id`;

/** The topic of a row; for an order it is in the detail. */
const TOPIC = `case when event.scope operator(pg_catalog.=) 'control' then event.detail operator(pg_catalog.->>) 'topic' else stored.topic end`;

/** The columns of one row of the list, from `SOURCE`. */
export const SUMMARY = `event.id::pg_catalog.text, event.type, event.scope, event.user_id, ${TOPIC} as topic,
  pg_catalog.left(event.detail::pg_catalog.text, ${PREVIEW}) as preview, ${milliseconds('event.created_at')} as created_at,
  event.replay_of::pg_catalog.text, event.status, event.recipients, event.errors`;
