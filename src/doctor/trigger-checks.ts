import type pg from 'pg';
import { one } from '../postgres/select.js';
import { failed, ok, warning } from './findings.js';

interface Trigger {
  name: string;
  table: string;
}

interface Triggers {
  /** Where session_replication_role is `replica`: in this session, or as a setting of the database or a role; null: nowhere. */
  replica: string | null;
  /** Triggers of djr's own tables that are disabled, or fire on replication only. */
  off: Trigger[] | null;
  /** The subscription of logical replication that fills djr.event. */
  subscription: string | null;
  /** Triggers of the app's tables that run `djr.publish_row` and are disabled. */
  rows: Trigger[] | null;
  /** Such triggers on tables that a subscription fills, whose rows fire only triggers that are ENABLE ALWAYS or REPLICA. */
  passed: (Trigger & { subscription: string })[] | null;
}

const OURS = "any (array['djr.event'::pg_catalog.regclass, 'djr.activity'::pg_catalog.regclass])";

const TRIGGERS = `
  select t.tgname, t.tgenabled, t.tgrelid::pg_catalog.regclass::pg_catalog.text as name,
         t.tgrelid operator(pg_catalog.=) ${OURS} as is_ours, s.subname
    from pg_catalog.pg_trigger t
    left join pg_catalog.pg_subscription_rel r on r.srrelid operator(pg_catalog.=) t.tgrelid
    left join pg_catalog.pg_subscription s on s.oid operator(pg_catalog.=) r.srsubid
   where not t.tgisinternal
     and (t.tgrelid operator(pg_catalog.=) ${OURS}
          or t.tgfoid operator(pg_catalog.=) pg_catalog.to_regprocedure('djr.publish_row()'))`;

/** Selects the triggers that meet a condition as a JSON array. */
const listed = (members: string, condition: string): string => `
  (select pg_catalog.json_agg(pg_catalog.json_build_object('name', pg_catalog.quote_ident(found.tgname), ${members}) order by found.tgname)
     from (${TRIGGERS}) found where ${condition})`;

const LOOK = `
  select coalesce(
           (select 'this session' where pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'replica'),
           (select case when setting.setrole operator(pg_catalog.=) 0 then 'the database'
                        else pg_catalog.format('the role %I', setting.setrole::pg_catalog.regrole) end
              from pg_catalog.pg_db_role_setting setting
             where (setting.setdatabase operator(pg_catalog.=) 0 or setting.setdatabase operator(pg_catalog.=) (
                     select database.oid from pg_catalog.pg_database database
                      where database.datname operator(pg_catalog.=) pg_catalog.current_database()))
               and setting.setconfig operator(pg_catalog.&&) array['session_replication_role=replica'] limit 1)
         ) as replica,
         ${listed(`'table', found.name`, "found.is_ours and (found.tgenabled operator(pg_catalog.=) 'D' or found.tgenabled operator(pg_catalog.=) 'R')")} as off,
         (select pg_catalog.min(s.subname::pg_catalog.text) from pg_catalog.pg_subscription_rel r
            join pg_catalog.pg_subscription s on s.oid operator(pg_catalog.=) r.srsubid
           where r.srrelid operator(pg_catalog.=) 'djr.event'::pg_catalog.regclass) as subscription,
         ${listed(`'table', found.name`, "not found.is_ours and found.tgenabled operator(pg_catalog.=) 'D'")} as rows,
         ${listed(`'table', found.name, 'subscription', found.subname`, "not found.is_ours and found.tgenabled operator(pg_catalog.=) 'O' and found.subname is not null")} as passed`;

const list = (found: Trigger[]) => found.map(({ name, table }) => `${name} on ${table}`).join(', ');
const enable = ({ name, table }: Trigger) => `alter table ${table} enable trigger ${name};`;

/** A trigger that does not fire publishes nothing, and no publisher gets an error. */
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
