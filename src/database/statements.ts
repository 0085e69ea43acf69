import type { Need } from '../delivery/backlog.js';
import type { Frontier } from '../delivery/frontier.js';
import { STATUS } from './status.js';

export const EVENT_COLUMNS = `id, xid::text as xid_text, scope, user_id, type,
         trunc(extract(epoch from created_at) * 1000)::bigint as created, detail::text as detail_text, xid`;

/** A restored dump may have transaction ids of another cluster, which lie in the future: no snapshot can tell of them. */
export const NOT_FOREIGN = 'xid < pg_snapshot_xmax(pg_current_snapshot())';

export interface Query {
  text: string;
  values: unknown[];
}

/** What to read: an event is in at most one of the parts, and has to pass `rest` in each. */
export interface Filter {
  /** Conditions for a range of an index each: as one condition with `or` they would read the table from its beginning. */
  parts: string[];
  rest: string;
  values: unknown[];
}

/**
 * New since a frontier, as SQL: above its xmax, or in progress then. After a restart of PostgreSQL transaction ids
 * may have come again, so what was inserted after `bornAfter` is new as well.
 */
export function newSince(frontier: Frontier, bornAfter: number | undefined): Filter {
  const filter = {
    parts: ['xid >= $1::xid8', 'xid = any($2::xid8[])'],
    rest: '',
    values: [String(frontier.xmax), frontier.inProgress.map(String)] as unknown[],
  };
  if (bornAfter !== undefined) {
    filter.values.push(new Date(bornAfter));
    filter.parts.push('created_at >= $3 and not (xid >= $1::xid8 or xid = any($2::xid8[]))');
  }
  return filter;
}

/** Narrows it to what goes on behind this event, in the order of readings, and was visible in that frontier already. */
export function goOn(filter: Filter, last: { readonly xid: number; readonly id: number }, frontier: Frontier): void {
  const bind = (value: unknown) => `$${filter.values.push(value)}`;
  filter.rest += ` and (xid, id) > (${bind(String(last.xid))}::xid8, ${bind(last.id)}::bigint)`;
  filter.rest += ` and pg_visible_in_snapshot(xid, ${bind(frontier.snapshot)}::pg_snapshot)`;
}

/** Snapshot and rows in one statement: what is in one is in the other. */
export const withStatus = (events: string): string => `
  select status, id, xid_text, scope, user_id, type, created, detail_text
    from (
      select status, null::bigint as id, null as xid_text, null as scope, null as user_id, null as type,
             null::bigint as created, null as detail_text, null::xid8 as xid
        from (${STATUS}) s
      union all
      select null, e.* from (${events}) e
    ) rows
   order by xid nulls first, id`;

export function sinceStatement(filter: Filter, limit?: number): Query {
  const values = [...filter.values];
  const most = limit === undefined ? '' : ` limit $${values.push(limit)}`;
  const parts = filter.parts.map(
    (part) =>
      `(select ${EVENT_COLUMNS} from djr.event where ${part}${filter.rest} order by event.xid, event.id${most})`,
  );
  return { text: withStatus(`select * from (${parts.join(' union all ')}) found order by xid, id${most}`), values };
}

/**
 * What any client may be entitled to: first what is older than `xmax` (of transactions in progress then, and after a
 * restart of PostgreSQL by its time), then the rest, newest first. Each part is cut by itself, for its index to end it.
 */
export function recentStatement({ inProgress, time, xmax }: Need, limit: number): Query {
  const parts: [part: number, condition: string, order: string][] = [
    [1, 'xid = any($2::xid8[]) and xid < $1::xid8', ''],
    [1, 'pg_postmaster_start_time() > $3 and created_at >= $3 and xid < $1::xid8 and not xid = any($2::xid8[])', ''],
    [2, `xid >= $1::xid8 and ${NOT_FOREIGN}`, 'order by event.xid desc, event.id desc'],
  ];
  const events = parts.map(
    ([part, condition, order]) =>
      `(select ${part} as part, ${EVENT_COLUMNS} from djr.event
         where scope <> 'system' and ${condition} ${order} limit $4)`,
  );
  return {
    text: `
  select status, id, xid_text, scope, user_id, type, created, detail_text
    from (
      select 0 as part, status, null::bigint as id, null as xid_text, null as scope, null as user_id, null as type,
             null::bigint as created, null as detail_text, null::xid8 as xid
        from (${STATUS}) s
      union all
      select part, null, id, xid_text, scope, user_id, type, created, detail_text, xid
        from (${events.join(' union all ')}) found
    ) rows
   order by part, xid desc, id desc`,
    // One more than there is room for says that there is more.
    values: [String(xmax), [...inProgress].map(String), new Date(time), limit + 1],
  };
}
