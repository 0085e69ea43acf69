import type pg from 'pg';
import { failed, ok, one, warning } from './findings.js';

interface Trigger {
  name: string;
  table: string;
}

interface Triggers {
  /** `replica` in this session, or set so for the database or a role. */
  replica: string | null;
  /** djr's own that are disabled, or fire on replication only. */
  off: Trigger[] | null;
  /** The subscription that brings rows of djr's tables. */
  subscription: string | null;
  /** Those of the app's tables that run `djr.publish_row`, and do not fire. */
  rows: Trigger[] | null;
  /** Those of them on tables that a subscription fills: its rows fire only what is ENABLE ALWAYS or REPLICA. */
  passed: (Trigger & { subscription: string })[] | null;
}

const LOOK = `
  with own as (
    select t.tgname, t.tgrelid, t.tgenabled, t.tgrelid::regclass::text as name,
           t.tgrelid in ('djr.event'::regclass, 'djr.activity'::regclass) as is_ours, s.subname
      from pg_catalog.pg_trigger t
      left join pg_catalog.pg_subscription_rel r on r.srrelid = t.tgrelid
      left join pg_catalog.pg_subscription s on s.oid = r.srsubid
     where not t.tgisinternal
       and (t.tgrelid in ('djr.event'::regclass, 'djr.activity'::regclass)
            or t.tgfoid = to_regprocedure('djr.publish_row()'))
  )
  select coalesce(
           (select 'this session' where current_setting('session_replication_role') = 'replica'),
           (select case when setrole = 0 then 'the database' else format('the role %I', setrole::regrole) end
              from pg_catalog.pg_db_role_setting
             where setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
               and setconfig && array['session_replication_role=replica'] limit 1)
         ) as replica,
         (select json_agg(json_build_object('name', quote_ident(tgname), 'table', name) order by tgname) from own
           where is_ours and tgenabled in ('D', 'R')) as off,
         (select min(s.subname::text) from pg_catalog.pg_subscription_rel r
            join pg_catalog.pg_subscription s on s.oid = r.srsubid
           where r.srrelid = 'djr.event'::regclass) as subscription,
         (select json_agg(json_build_object('name', quote_ident(tgname), 'table', name) order by tgname) from own
           where not is_ours and tgenabled = 'D') as rows,
         (select json_agg(json_build_object('name', quote_ident(tgname), 'table', name, 'subscription', subname))
            from own where not is_ours and tgenabled = 'O' and subname is not null) as passed`;

const list = (found: Trigger[]) => found.map(({ name, table }) => `${name} on ${table}`).join(', ');
const enable = ({ name, table }: Trigger) => `alter table ${table} enable trigger ${name};`;

/** A trigger that does not fire publishes nothing, and no publisher hears of it. */
export async function triggers(client: pg.Client) {
  const { replica, off, subscription, rows, passed } = await one<Triggers>(client, LOOK);
  if (subscription !== null) {
    return failed(
      `the subscription ${subscription} fills djr.event: its rows fire no trigger and have another cluster's transaction ids, so none of them is delivered here`,
      'Run djr on the publisher, or leave schema djr out of the publication and publish here by triggers on your own tables.',
    );
  }
  if (off !== null) return failed(`disabled: ${list(off)}`, enable(off[0]!));
  if (replica !== null) {
    return failed(
      `session_replication_role is replica for ${replica}: its writes fire no trigger, and publish nothing at once`,
      'Set session_replication_role to origin.',
    );
  }
  if (passed !== null) {
    const { name, table, subscription: by } = passed[0]!;
    return warning(
      `the subscription ${by} fills ${table}, and its rows pass the trigger ${name} by: they publish nothing`,
      `alter table ${table} enable always trigger ${name};`,
    );
  }
  if (rows !== null) return warning(`disabled: ${list(rows)}`, enable(rows[0]!));
  return ok('all fire');
}
