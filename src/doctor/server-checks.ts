import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inTime } from '../lib/deadline.js';
import { ownershipOf } from '../postgres/ownership.js';
import { one, select } from '../postgres/select.js';
import { milliseconds } from '../postgres/types.js';
import { failed, ok, warning } from './findings.js';

/** Milliseconds within which a NOTIFY is heard if no pooler is in the way. */
const HEARD_WITHIN = 3000;

/** Seconds by which the two clocks may differ; so small a difference matters only to a reader of logs. */
const MAX_SKEW = 2;

/** Seconds after which an open transaction is a warning. */
const LONG_TRANSACTION = 300;

export async function version(client: pg.Client) {
  const { number, text } = await one<{ number: number; text: string }>(
    client,
    "select pg_catalog.current_setting('server_version_num')::int as number, pg_catalog.current_setting('server_version') as text",
  );
  return number >= 140_000 ? ok(`PostgreSQL ${text}`) : failed(`PostgreSQL ${text}`, 'Upgrade to 14 or newer.');
}

/** The address of the connection, at which the pooler stands that is in the way. */
const addressOf = ({ host, port }: pg.Client): string => (host.startsWith('/') ? host : `${host}:${port}`);

const DIRECT = 'Give djr a direct connection to PostgreSQL: database: { listen, pool }.';

export async function listen(client: pg.Client, openSecond: () => Promise<pg.Client>) {
  const ownership = await ownershipOf(client, openSecond);
  if (ownership === 'shared') {
    // The check does not LISTEN here, as that would affect another session as well.
    return failed(
      `a pooler in transaction mode is in the way at ${addressOf(client)}: LISTEN is not heard, so events come late, and those without a row (store => false) never`,
      DIRECT,
    );
  }
  const { channel } = await one<{ channel: string }>(client, 'select djr.channel() as channel');
  const payload = JSON.stringify({ probe: randomBytes(8).toString('hex') });
  let onNotification = (_: pg.Notification) => {};
  const heard = new Promise<boolean>((resolve) => {
    onNotification = (message) => message.payload === payload && resolve(true);
  });
  client.on('notification', onNotification);
  try {
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    // Sent from another session while this one is idle: this one would hear its own NOTIFY through any pooler.
    const second = await openSecond();
    try {
      await second.query('select pg_catalog.pg_notify($1, $2)', [channel, payload]);
      const came = await inTime(heard, HEARD_WITHIN);
      if (!came) return failed(`a NOTIFY was not heard: a pooler is in the way at ${addressOf(client)}`, DIRECT);
    } finally {
      await second.end();
    }
    return ok(
      ownership === 'own'
        ? `a NOTIFY was heard, and ${addressOf(client)} is PostgreSQL itself: no pooler is in the way`
        : `a NOTIFY was heard; ${addressOf(client)} is a pooler in session mode, or could not be told from one`,
    );
  } finally {
    client.off('notification', onNotification);
    await client.query(`unlisten ${client.escapeIdentifier(channel)}`).catch(() => {});
  }
}

interface Session {
  pid: number;
  who: string;
  seconds: number;
}

/** Other sessions with an open transaction, the oldest first. Sessions of other roles are included only if this role may see them. */
const OPEN = `
  select pid,
         pg_catalog.format('%s, %s', usename, case when application_name operator(pg_catalog.<>) '' then application_name
                                              else 'no application_name' end) as who,
         extract(epoch from (pg_catalog.clock_timestamp() operator(pg_catalog.-) xact_start))::int as seconds
    from pg_catalog.pg_stat_activity
   where xact_start is not null and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
     and backend_type operator(pg_catalog.=) 'client backend'`;

/** The time `$1` seconds ago. */
const BEFORE = "(pg_catalog.clock_timestamp() operator(pg_catalog.-) ($1 operator(pg_catalog.*) interval '1 second'))";

export async function queue(client: pg.Client) {
  const { usage } = await one<{ usage: number }>(
    client,
    'select pg_catalog.pg_notification_queue_usage()::pg_catalog.numeric as usage',
  );
  const found = `${(usage * 100).toFixed(1)} % full`;
  if (usage < 0.1) return ok(found);
  const [culprit] = await select<Session>(client, `${OPEN} order by xact_start limit 1`);
  if (!culprit) {
    return failed(
      `${found}: a session that listens is in an open transaction, and this role may not see whose`,
      'As a superuser, or with pg_read_all_stats, run `djr doctor` again.',
    );
  }
  const { pid, seconds, who } = culprit;
  return failed(
    `${found}: most likely session ${pid} (${who}) holds it up, in a transaction for ${seconds} s`,
    `select pg_catalog.pg_terminate_backend(${pid});`,
  );
}

export async function transactions(client: pg.Client) {
  const [oldest] = await select<Session>(
    client,
    `${OPEN} and (backend_xmin is not null or backend_xid is not null)
       and xact_start operator(pg_catalog.<) ${BEFORE}
     order by xact_start limit 1`,
    [LONG_TRANSACTION],
  );
  if (oldest) {
    const { pid, seconds, who } = oldest;
    return warning(
      `session ${pid} (${who}) has been in a transaction for ${seconds} s: nothing deleted since can be vacuumed`,
      `End it, or: select pg_catalog.pg_terminate_backend(${pid});`,
    );
  }
  const { gid } = await one<{ gid: string | null }>(
    client,
    `select (select gid from pg_catalog.pg_prepared_xacts
              where prepared operator(pg_catalog.<) ${BEFORE} order by prepared limit 1) as gid`,
    [LONG_TRANSACTION],
  );
  if (gid === null) return ok(`none is open for more than ${LONG_TRANSACTION / 60} minutes`);
  const name = client.escapeLiteral(gid);
  return warning(
    `a prepared transaction waits to be ended: ${name}`,
    `commit prepared ${name}; or rollback prepared ${name};`,
  );
}

export async function restore(client: pg.Client) {
  const { foreign } = await one<{ foreign: boolean }>(
    client,
    `select exists (select from djr.event where xid operator(pg_catalog.>=) now.xmax)
         or exists (select from djr.settings where pruned_xid operator(pg_catalog.>=) now.xmax) as foreign
       from (select pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) as xmax) now`,
  );
  if (!foreign) return ok('no transaction id is of another cluster');
  return warning(
    'a dump of another cluster was restored: some transaction ids lie in the future, and would be new again when they come',
    'select djr.repair_xids(); -- or start an instance',
  );
}

export async function durability(client: pg.Client) {
  const { commit, fsync } = await one<{ commit: string; fsync: string }>(
    client,
    "select pg_catalog.current_setting('synchronous_commit') as commit, pg_catalog.current_setting('fsync') as fsync",
  );
  const found = `synchronous_commit ${commit}, fsync ${fsync}`;
  if (commit !== 'off' && fsync === 'on') return ok(found);
  return warning(
    `${found}: a crash can undo an event that browsers have got`,
    commit === 'off' ? 'Set synchronous_commit to on, or live with it.' : 'Set fsync to on, but for tests.',
  );
}

export async function clock(client: pg.Client) {
  const before = Date.now();
  const { now } = await one<{ now: number }>(client, `select ${milliseconds('pg_catalog.clock_timestamp()')} as now`);
  const skew = (now - (before + Date.now()) / 2) / 1000;
  const found = `${Math.abs(skew).toFixed(3)} s ${skew < 0 ? 'behind' : 'ahead of'} this machine's`;
  return Math.abs(skew) <= MAX_SKEW ? ok(found) : warning(found, 'Synchronise both clocks with NTP.');
}

export async function connections(client: pg.Client) {
  const { used, most } = await one<{ used: number; most: number }>(
    client,
    `select pg_catalog.count(*)::int as used, pg_catalog.current_setting('max_connections')::int as most
       from pg_catalog.pg_stat_activity where backend_type operator(pg_catalog.=) 'client backend'`,
  );
  const found = `${used} of ${most} in use`;
  return used < most * 0.8 ? ok(found) : warning(found, 'Raise max_connections, or put the pools behind a pooler.');
}
