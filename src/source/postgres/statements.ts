import { type Audience, CLIENT_SCOPES, entitlementOf } from '../../event/audience.js';
import type { Frontier } from '../../event/frontier.js';
import type { Query } from '../../postgres/rows.js';
import type { Need } from '../../stream/resume/backlog.js';
import { STATUS } from './status.js';

/** Whether a Date can hold `created_at`. The schema refuses what it cannot; a row of before that, or one that came past the triggers, may have it. */
const IS_DATE = 'pg_catalog.isfinite(created_at) and created_at operator(pg_catalog.<) pg_catalog.to_timestamp(8e12)';

/** As PostgreSQL prints them: nothing is cast to text that is text on its way to us anyway. `created` in microseconds. */
export const EVENT_COLUMNS = `id, xid, scope, user_id, type,
  case when ${IS_DATE} then (pg_catalog.date_part('epoch', created_at) operator(pg_catalog.*) 1000000)::bigint end as created, detail, topic`;

/** A restored dump may have transaction ids of another cluster, which lie in the future: no snapshot can tell of them. */
export const NOT_FOREIGN = 'xid operator(pg_catalog.<) pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())';

/** A transaction against a frontier: `$1` is its xmax, `$2` what was in progress in it. */
const BEHIND = 'xid operator(pg_catalog.>=) $1::pg_catalog.xid8';
const BEFORE = 'xid operator(pg_catalog.<) $1::pg_catalog.xid8';
const IN_PROGRESS = 'xid operator(pg_catalog.=) any($2::pg_catalog.xid8[])';

/** What to read: an event is in at most one of the parts, and has to pass `rest` in each. */
export interface Filter {
  /** Conditions for a range of an index each: as one condition with `or` they would read the table from its beginning. */
  parts: string[];
  /** Whether all of a part come before those of the next, in the order of transactions. */
  inOrder: boolean;
  rest: string;
  values: unknown[];
}

/**
 * New since a frontier, as SQL: above its xmax, or in progress then. After a restart of PostgreSQL transaction ids
 * may have come again, so what was inserted after `bornAfter` is new as well.
 */
export function newSince(frontier: Frontier, bornAfter: number | undefined): Filter {
  const filter = {
    parts: [IN_PROGRESS, BEHIND],
    inOrder: bornAfter === undefined,
    rest: '',
    values: [String(frontier.xmax), frontier.inProgress.map(String)] as unknown[],
  };
  if (bornAfter !== undefined) {
    filter.values.push(new Date(bornAfter));
    filter.parts.push(`created_at operator(pg_catalog.>=) $3 and not (${BEHIND} or ${IN_PROGRESS})`);
  }
  return filter;
}

/** A condition for the events of these audiences. @param bind - takes a value and returns the parameter that stands for it */
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

/** Narrows it to what goes on behind this event, in the order of readings, and was visible in that frontier already. */
export function goOn(filter: Filter, last: { readonly xid: number; readonly id: number }, frontier: Frontier): void {
  const bind = (value: unknown) => `$${filter.values.push(value)}`;
  filter.rest += ` and (xid, id) operator(pg_catalog.>) (${bind(String(last.xid))}::pg_catalog.xid8, ${bind(last.id)}::bigint)`;
  filter.rest += ` and pg_catalog.pg_visible_in_snapshot(xid, ${bind(frontier.snapshot)}::pg_catalog.pg_snapshot)`;
}

/**
 * Snapshot and rows in one statement: what is in one is in the other. PostgreSQL runs the parts one after the other, and
 * none of them at the same time, as reading the mode rules parallel plans out; to sort all of it once more took a third of
 * what a row costs. The store looks at the order of what comes.
 */
export function withStatus(...parts: string[]): string {
  const first = `select status, null::bigint as id, null::pg_catalog.xid8 as xid, null as scope, null as user_id, null as type,
           null::bigint as created, null::pg_catalog.jsonb as detail, null as topic
      from (${STATUS}) s`;
  return [first, ...parts.map((part) => `(${part})`)].join('\n union all\n');
}

export function sinceStatement(filter: Filter, limit?: number): Query {
  const values = [...filter.values];
  const most = limit === undefined ? '' : ` limit $${values.push(limit)}::bigint`;
  const parts = filter.parts.map(
    (part) =>
      `select null, ${EVENT_COLUMNS} from djr.event where ${part}${filter.rest} order by event.xid, event.id${most}`,
  );
  // The status has a row, too.
  if (filter.inOrder) return { text: `${withStatus(...parts)}${most && `${most} operator(pg_catalog.+) 1`}`, values };
  const all = parts.map((part) => `(${part})`).join(' union all ');
  return { text: withStatus(`select * from (${all}) found order by xid, id${most}`), values };
}

/**
 * What any client may be entitled to: first what is older than `xmax` (of transactions in progress then, and after a
 * restart of PostgreSQL by its time), then the rest, newest first. Each part is cut by itself, for its index to end it.
 */
export function recentStatement({ inProgress, time, xmax }: Need, limit: number): Query {
  const parts: [condition: string, order: string][] = [
    [`${IN_PROGRESS} and ${BEFORE}`, ''],
    [
      `pg_catalog.pg_postmaster_start_time() operator(pg_catalog.>) $3 and created_at operator(pg_catalog.>=) $3 and ${BEFORE} and not ${IN_PROGRESS}`,
      '',
    ],
    [`${BEHIND} and ${NOT_FOREIGN}`, 'order by event.xid desc, event.id desc'],
  ];
  const ofClients = CLIENT_SCOPES.map((scope) => `'${scope}'`).join(', ');
  const events = parts.map(
    ([condition, order]) =>
      `select null, ${EVENT_COLUMNS} from djr.event where scope operator(pg_catalog.=) any (array[${ofClients}]) and ${condition} ${order} limit $4`,
  );
  return {
    text: withStatus(...events),
    // One more than there is room for says that there is more.
    values: [String(xmax), [...inProgress].map(String), new Date(time), limit + 1],
  };
}
