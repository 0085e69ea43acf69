import type pg from 'pg';
import type { Queryable } from '../postgres/connect.js';
import { dated, one, select } from '../postgres/select.js';
import { milliseconds } from '../postgres/types.js';

/** A row of `djr.instance`. */
export interface InstanceRow {
  name: string;
  host: string;
  version: string;
  /** Null: a time that a Date cannot hold. */
  started_at: Date | null;
  seen_at: Date | null;
  /** Whether it was not seen for 30 s: it has ended without deleting its row, or is cut off. */
  gone: boolean;
  connections: number;
  events: number;
  deliveries: number;
  errors: number;
  lag_ms: number | null;
}

export interface Statistics {
  settings: { storage: boolean; delivery: string; retention: string | null; activity: string };
  /** How events reach the runtimes now. */
  mode: 'notify' | 'sweep';
  /** How full the NOTIFY queue is, 0 to 1. */
  queue_usage: number;
  /** Rows are PostgreSQL's estimates; null: it has none yet. Bytes include indexes. */
  tables: { name: string; rows: number | null; bytes: number }[];
  oldest_event: Date | null;
  instances: InstanceRow[];
  period: string;
  /** Events of the period, most first, at most 20 rows. */
  events: { type: string; scope: string; count: number }[];
  /** How many events were counted; if it is `MAX_COUNTED`, there are more. */
  counted: number;
  complete: boolean;
}

/** At most so many events of a period are counted, which takes about a second. */
const MAX_COUNTED = 1_000_000;

const MAX_TYPES = 20;

/** How events reach the runtimes now, as a word. */
export const MODE =
  "case when (select last_value from djr.delivery_mode) operator(pg_catalog.=) 2 then 'sweep' else 'notify' end";

export async function readInstances(client: Queryable): Promise<InstanceRow[]> {
  const rows = await select<InstanceRow>(
    client,
    `select name, host, version, ${milliseconds('started_at')} as started_at, ${milliseconds('seen_at')} as seen_at,
            seen_at operator(pg_catalog.<) (pg_catalog.clock_timestamp() operator(pg_catalog.-) interval '30 s') as gone,
            connections, events, deliveries, errors, lag_ms::pg_catalog.numeric as lag_ms
       from djr.instance order by instance.started_at, instance.name`,
  );
  return dated(rows, 'started_at', 'seen_at');
}

/** @param period - an interval of PostgreSQL's */
export async function readStatistics(client: pg.Client, period: string): Promise<Statistics> {
  const base = await one<Pick<Statistics, 'settings' | 'mode' | 'queue_usage' | 'oldest_event'>>(
    client,
    `select pg_catalog.json_build_object(
              'storage', storage, 'delivery', delivery, 'retention', retention::pg_catalog.text, 'activity', activity) as settings,
            ${MODE} as mode,
            pg_catalog.pg_notification_queue_usage()::pg_catalog.numeric as queue_usage,
            (select ${milliseconds('pg_catalog.min(created_at)')} from djr.event) as oldest_event
       from djr.settings`,
  );
  dated([base], 'oldest_event');
  const tables = await select<Statistics['tables'][number]>(
    client,
    `select relname::pg_catalog.text as name,
            case when reltuples operator(pg_catalog.>=) 0 then reltuples::pg_catalog.numeric end as rows,
            pg_catalog.pg_total_relation_size(oid) as bytes
       from pg_catalog.pg_class
      where oid operator(pg_catalog.=) any (array['djr.event'::pg_catalog.regclass, 'djr.activity'::pg_catalog.regclass]) order by relname desc`,
  );
  // Counted from the newest back by the index on created_at, and no more of them than there is time for.
  const events = await select<{ type: string; scope: string; count: number; counted: number }>(
    client,
    `select type, scope, pg_catalog.count(*) as count, pg_catalog.sum(pg_catalog.count(*)) over () as counted
       from (select type, scope from djr.event
              where created_at operator(pg_catalog.>) (pg_catalog.clock_timestamp() operator(pg_catalog.-) $1::interval)
              order by created_at desc limit $2) latest
      group by type, scope order by count desc, type, scope limit $3`,
    [period, MAX_COUNTED, MAX_TYPES],
  );
  const counted = events[0]?.counted ?? 0;
  return {
    ...base,
    tables,
    instances: await readInstances(client),
    period,
    events: events.map(({ type, scope, count }) => ({ type, scope, count })),
    counted,
    complete: counted < MAX_COUNTED,
  };
}
