import { type Audience, CLIENT_SCOPES, entitlementOf } from '../../event/audience.js';
import type { Frontier } from '../../event/frontier.js';
import type { Query } from '../../postgres/rows.js';
import type { Need } from '../../stream/resume/backlog.js';
import { STATUS } from './status.js';

/** Whether a Date can hold `created_at`. The schema refuses other times, but a row from before that rule, or one written past the triggers, may have one. */
const IS_DATE = 'pg_catalog.isfinite(created_at) and created_at operator(pg_catalog.<) pg_catalog.to_timestamp(8e12)';

/** The columns of an event. PostgreSQL sends all values as text, so none is cast to text. `created` is in microseconds. */
export const EVENT_COLUMNS = `id, xid, scope, user_id, type,
  case when ${IS_DATE} then (pg_catalog.date_part('epoch', created_at) operator(pg_catalog.*) 1000000)::bigint end as created, detail, topic`;

/** Leaves out rows of a restored dump whose transaction ids are another cluster's and lie in the future: no snapshot says anything about those. */
export const NOT_FOREIGN = 'xid operator(pg_catalog.<) pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())';

/** The row's transaction began to write after the frontier, whose xmax is `$1`. */
const AFTER_XMAX = 'xid operator(pg_catalog.>=) $1::pg_catalog.xid8';

/** The row's transaction began to write before the frontier. It may have been in progress then. */
const BEFORE_XMAX = 'xid operator(pg_catalog.<) $1::pg_catalog.xid8';

/** The row's transaction was in progress at the frontier: it is one of `$2`. */
const IN_PROGRESS = 'xid operator(pg_catalog.=) any($2::pg_catalog.xid8[])';

/** Which events to read: those of any part that pass `rest`. No event is in two parts. */
export interface Filter {
  /** Conditions, each for one range of an index. Joined by `or` into one condition they would read the table from its beginning. */
  parts: string[];
  /** Whether all events of one part come before all of the next part, in the order of transactions. */
  inOrder: boolean;
  rest: string;
  values: unknown[];
}

/**
 * The events that are new since a frontier: their transaction is not below its xmax, or was in progress then. After a
 * restart PostgreSQL may give a transaction id a second time, so events inserted since `bornAfter` are new as well.
 */
export function newSince(frontier: Frontier, bornAfter: number | undefined): Filter {
  const filter = {
    parts: [IN_PROGRESS, AFTER_XMAX],
    inOrder: bornAfter === undefined,
    rest: '',
    values: [String(frontier.xmax), frontier.inProgress.map(String)] as unknown[],
  };
  if (bornAfter !== undefined) {
    filter.values.push(new Date(bornAfter));
    filter.parts.push(`created_at operator(pg_catalog.>=) $3 and not (${AFTER_XMAX} or ${IN_PROGRESS})`);
  }
  return filter;
}

/** A condition that only events for these audiences meet. @param bind - takes a value and returns the parameter that stands for it */
export function entitled(audiences: Iterable<Audience>, bind: (value: unknown) => string): string {
  const { everybody, named } = entitlementOf(audiences);
  const conditions: string[] = [];
  if (everybody) conditions.push("scope operator(pg_catalog.=) 'public'");
  for (const { scope, column, isShared, names } of named) {
    const isNamed = `${column} operator(pg_catalog.=) any(${bind(names)})`;
    conditions.push(isShared ? `(scope operator(pg_catalog.=) '${scope}' and ${isNamed})` : isNamed);
  }
  return conditions.length > 0 ? `(${conditions.join(' or ')})` : 'false';
}

/** Narrows a filter for the next batch: to the events after `last`, in the order of transaction and id, that were visible in `frontier`. */
export function goOn(filter: Filter, last: { readonly xid: number; readonly id: number }, frontier: Frontier): void {
  const bind = (value: unknown) => `$${filter.values.push(value)}`;
  filter.rest += ` and (xid, id) operator(pg_catalog.>) (${bind(String(last.xid))}::pg_catalog.xid8, ${bind(last.id)}::bigint)`;
  filter.rest += ` and pg_catalog.pg_visible_in_snapshot(xid, ${bind(frontier.snapshot)}::pg_catalog.pg_snapshot)`;
}

/**
 * The status and the rows in one statement, so that both are of the same snapshot. The status is the first row. PostgreSQL
 * runs the parts one after another and never in parallel, because the status calls a function that rules parallel plans
 * out. As each part is sorted, the statement does not sort the union, which took a third of the time for a row. The store
 * checks the order of the rows.
 */
export function withStatus(...parts: string[]): string {
  const first = `select status, null::bigint as id, null::pg_catalog.xid8 as xid, null as scope, null as user_id, null as type,
           null::bigint as created, null::pg_catalog.jsonb as detail, null as topic
      from (${STATUS}) s`;
  return [first, ...parts.map((part) => `(${part})`)].join('\n union all\n');
}

/**
 * The status, and the events of a filter in the order of transaction and id. Unless the filter's `rest` leaves them out, events
 * for every audience are among them, and rows with foreign transaction ids, which the store drops.
 *
 * @param limit - how many events there may be
 */
export function sinceStatement(filter: Filter, limit?: number): Query {
  const values = [...filter.values];
  const most = limit === undefined ? '' : ` limit $${values.push(limit)}::bigint`;
  const parts = filter.parts.map(
    (part) =>
      `select null, ${EVENT_COLUMNS} from djr.event where ${part}${filter.rest} order by event.xid, event.id${most}`,
  );
  // One more than the limit: the status is a row, too.
  if (filter.inOrder) return { text: `${withStatus(...parts)}${most && `${most} operator(pg_catalog.+) 1`}`, values };
  const all = parts.map((part) => `(${part})`).join(' union all ');
  return { text: withStatus(`select * from (${all}) found order by xid, id${most}`), values };
}

/**
 * The events that any client may be entitled to. First those below `xmax`: of transactions in progress then, and after a
 * restart of PostgreSQL those since `time`. Then the rest, newest first. Each part has its own limit, so that PostgreSQL
 * stops reading its index there.
 */
export function recentStatement({ inProgress, time, xmax }: Need, limit: number): Query {
  const parts: [condition: string, order: string][] = [
    [`${IN_PROGRESS} and ${BEFORE_XMAX}`, ''],
    [
      `pg_catalog.pg_postmaster_start_time() operator(pg_catalog.>) $3 and created_at operator(pg_catalog.>=) $3 and ${BEFORE_XMAX} and not ${IN_PROGRESS}`,
      '',
    ],
    [`${AFTER_XMAX} and ${NOT_FOREIGN}`, 'order by event.xid desc, event.id desc'],
  ];
  const ofClients = CLIENT_SCOPES.map((scope) => `'${scope}'`).join(', ');
  const events = parts.map(
    ([condition, order]) =>
      `select null, ${EVENT_COLUMNS} from djr.event where scope operator(pg_catalog.=) any (array[${ofClients}]) and ${condition} ${order} limit $4`,
  );
  return {
    text: withStatus(...events),
    // One more than there is room for: if it comes, there are more.
    values: [String(xmax), [...inProgress].map(String), new Date(time), limit + 1],
  };
}
