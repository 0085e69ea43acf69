import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { requireSchema } from './schema.js';

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `warning`: it works, and could hurt later. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** The one thing to do; empty where nothing is. */
  readonly todo: string;
}

type Check = (client: pg.Client) => Promise<Omit<Finding, 'check'>>;

const ok = (found: string): Omit<Finding, 'check'> => ({ state: 'ok', found, todo: '' });
const warning = (found: string, todo: string): Omit<Finding, 'check'> => ({ state: 'warning', found, todo });
const failed = (found: string, todo: string): Omit<Finding, 'check'> => ({ state: 'failed', found, todo });

/** Milliseconds within which a NOTIFY to oneself comes back, where nothing is in the way. */
const HEARD_WITHIN = 3000;

/** Seconds between the two clocks that confuse nobody but a reader of logs. */
const MAX_SKEW = 2;

const one = async <Row extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<Row> =>
  (await client.query<Row>(sql)).rows[0]!;

async function version(client: pg.Client) {
  const { number, text } = await one<{ number: number; text: string }>(
    client,
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as text",
  );
  return number >= 140_000 ? ok(`PostgreSQL ${text}`) : failed(`PostgreSQL ${text}`, 'Upgrade to 14 or newer.');
}

async function schema(client: pg.Client) {
  try {
    await requireSchema(client);
    return ok('as this version of djr expects, on the primary');
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    return failed(message, hint ?? 'Run `djr migrate`.');
  }
}

async function rights(client: pg.Client) {
  const { role, server, publish } = await one<{ role: string; server: boolean; publish: boolean }>(
    client,
    `select current_user as role,
            has_schema_privilege('djr', 'usage') and has_table_privilege('djr.event', 'select')
              and has_table_privilege('djr.settings', 'select') and has_function_privilege('djr.channel()', 'execute') as server,
            has_function_privilege('djr.publish_global(text, jsonb, jsonb, text)', 'execute')
              and has_function_privilege('djr._publish(text, text, text, jsonb, jsonb, text)', 'execute') as publish`,
  );
  if (!server) return failed(`${role} may not run the runtime`, `As the owner: select djr.grant_server('${role}').`);
  return ok(`${role} may run the runtime${publish ? ' and publish' : ', and may not publish'}`);
}

async function listen(client: pg.Client) {
  const { channel } = await one<{ channel: string }>(client, 'select djr.channel() as channel');
  const nonce = JSON.stringify({ probe: randomBytes(8).toString('hex') });
  let timer: NodeJS.Timeout | undefined;
  let onNotification = (_: pg.Notification) => {};
  const heard = new Promise<boolean>((resolve) => {
    onNotification = ({ payload }) => payload === nonce && resolve(true);
    timer = setTimeout(() => resolve(false), HEARD_WITHIN);
  });
  client.on('notification', onNotification);
  try {
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    await client.query('select pg_notify($1, $2)', [channel, nonce]);
    if (await heard) return ok('a NOTIFY to itself came back: no pooler is in the way');
    return failed(
      'a NOTIFY to itself did not come back: a pooler in transaction mode is in the way',
      'Give djr a direct connection: database: { listen, pool }.',
    );
  } finally {
    clearTimeout(timer);
    client.off('notification', onNotification);
    await client.query(`unlisten ${client.escapeIdentifier(channel)}`);
  }
}

async function queue(client: pg.Client) {
  const { usage } = await one<{ usage: number }>(client, 'select pg_notification_queue_usage() as usage');
  const found = `${(usage * 100).toFixed(1)} % full`;
  if (usage < 0.1) return ok(found);
  return failed(found, 'Find the session that listens inside an open transaction (pg_stat_activity), and end it.');
}

async function indexes(client: pg.Client) {
  const { invalid } = await one<{ invalid: string[] }>(
    client,
    `select array(
       select i.indexrelid::regclass::text from pg_catalog.pg_index i
        where i.indrelid = 'djr.event'::regclass and not i.indisvalid) as invalid`,
  );
  if (invalid.length === 0) return ok('all valid');
  return failed(`not valid: ${invalid.join(', ')}`, `reindex index concurrently ${invalid[0]};`);
}

async function retention(client: pg.Client) {
  const { storage, retention } = await one<{ storage: boolean; retention: string | null }>(
    client,
    'select storage, retention::text as retention from djr.settings',
  );
  if (!storage) return warning('events are not stored', 'No resume, no sweep: select djr.configure(storage => true).');
  if (retention === null) {
    return warning('events are kept for ever', "Say how long: select djr.configure(retention => '30 days').");
  }
  return ok(`events are kept for ${retention}`);
}

async function clock(client: pg.Client) {
  const before = Date.now();
  const { now } = await one<{ now: Date }>(client, 'select clock_timestamp() as now');
  const skew = (now.getTime() - (before + Date.now()) / 2) / 1000;
  const found = `${Math.abs(skew).toFixed(3)} s ${skew < 0 ? 'behind' : 'ahead of'} this machine's`;
  return Math.abs(skew) <= MAX_SKEW ? ok(found) : warning(found, 'Synchronise both clocks with NTP.');
}

async function connections(client: pg.Client) {
  const { used, most } = await one<{ used: number; most: number }>(
    client,
    `select count(*)::int as used, current_setting('max_connections')::int as most
       from pg_catalog.pg_stat_activity where backend_type = 'client backend'`,
  );
  const found = `${used} of ${most} in use`;
  return used < most * 0.8 ? ok(found) : warning(found, 'Raise max_connections, or put the pools behind a pooler.');
}

const CHECKS: readonly [string, Check][] = [
  ['version', version],
  ['schema', schema],
  ['rights', rights],
  ['LISTEN', listen],
  ['NOTIFY queue', queue],
  ['indexes', indexes],
  ['retention', retention],
  ['clock', clock],
  ['connections', connections],
];

/** Looks at everything that djr needs of a database; a check that cannot run is one that failed. */
export async function* diagnose(client: pg.Client): AsyncGenerator<Finding> {
  for (const [check, run] of CHECKS) {
    try {
      yield { check, ...(await run(client)) };
    } catch (error) {
      yield { check, ...failed((error as Error).message, 'Mend what is reported above first.') };
    }
  }
}
