import type pg from 'pg';
import { Periodic } from '../lib/periodic.js';
import { newClient } from '../postgres/connect.js';
import { select } from '../postgres/select.js';

/** Knows which session blocks another session that waits for a lock, as seen from a separate connection. */
export interface Watch {
  /** The blocking session at the last check, in words for a sentence; undefined: none, or it could not be seen. */
  readonly blocker: string | undefined;
  stop(): Promise<void>;
}

/** Selects what every role may know about the session of another role. */
const BLOCKERS = `
  select pg_catalog.format('session %s (role %I%s)', activity.pid, activity.usename,
           case when activity.application_name operator(pg_catalog.<>) ''
             then pg_catalog.format(', application %s', activity.application_name) end) as blocker
  from pg_catalog.pg_stat_activity activity
  where activity.pid operator(pg_catalog.=) any (pg_catalog.pg_blocking_pids($1))
  order by activity.xact_start`;

/**
 * Watches who blocks a session. It must be seen while the session waits: once the session has given up, nobody can tell any more.
 *
 * @param pid - the session that may wait
 * @param every - milliseconds between two checks; the connection is made for the first one
 */
export function watchBlockers(config: string | pg.ClientConfig, pid: number, every: number): Watch {
  const client = newClient(config);
  client.on('error', () => {});
  let connected: Promise<unknown> | undefined;
  let blocker: string | undefined;
  const look = async () => {
    try {
      connected ??= client.connect();
      await connected;
      const rows = await select<{ blocker: string }>(client, BLOCKERS, [pid]);
      if (rows.length > 0) blocker = rows.map((row) => row.blocker).join(', ');
    } catch {
      // If no connection is left for this, the time-out still comes, but its message names nobody.
    }
  };
  const looks = new Periodic({ period: every, round: look });
  looks.start();
  return {
    get blocker() {
      return blocker;
    },
    async stop() {
      await looks.stop();
      if (connected) await client.end().catch(() => {});
    },
  };
}
