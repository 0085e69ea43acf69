import type pg from 'pg';
import { newClient } from '../postgres/connect.js';
import { select } from '../postgres/select.js';

/** Who held up a session that waits for locks, seen from a connection beside it. */
export interface Watch {
  /** Who it was when last looked, as a sentence names them; undefined: nobody, or it could not be seen. */
  readonly blocker: string | undefined;
  stop(): Promise<void>;
}

/** All that any role may know of another one's session. */
const BLOCKERS = `
  select pg_catalog.format('session %s (role %I%s)', activity.pid, activity.usename,
           case when activity.application_name operator(pg_catalog.<>) ''
             then pg_catalog.format(', application %s', activity.application_name) end) as blocker
  from pg_catalog.pg_stat_activity activity
  where activity.pid operator(pg_catalog.=) any (pg_catalog.pg_blocking_pids($1))
  order by activity.xact_start`;

/**
 * Looks who blocks a session: once it is given up its locks are no more asked for, and nobody can tell.
 *
 * @param pid - the session that may wait
 * @param every - milliseconds between two looks; the connection is made for the first
 */
export function watchBlockers(config: string | pg.ClientConfig, pid: number, every: number): Watch {
  const client = newClient(config);
  client.on('error', () => {});
  let connected: Promise<unknown> | undefined;
  let blocker: string | undefined;
  let stopped = false;
  let looking: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const look = async () => {
    try {
      connected ??= client.connect();
      await connected;
      const rows = await select<{ blocker: string }>(client, BLOCKERS, [pid]);
      if (rows.length > 0) blocker = rows.map((row) => row.blocker).join(', ');
    } catch {
      // Without a connection to spare the time-out still comes, and names nobody.
    }
    if (!stopped) again();
  };
  const again = () => {
    timer = setTimeout(() => {
      looking = look();
    }, every);
    timer.unref();
  };
  again();
  return {
    get blocker() {
      return blocker;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
      if (connected) await client.end().catch(() => {});
    },
  };
}
