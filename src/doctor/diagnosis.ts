import type pg from 'pg';
import { consumers } from './consumer-check.js';
import { type Check, type Finding, failed } from './findings.js';
import { grants, indexes, instances, retention, rights, rowSecurity, schema, vacuum } from './schema-checks.js';
import { clock, connections, durability, listen, queue, restore, transactions, version } from './server-checks.js';
import { triggers } from './trigger-checks.js';

const CHECKS: readonly [string, Check][] = [
  ['version', version],
  ['schema', schema],
  ['rights', rights],
  ['grants', grants],
  ['row security', rowSecurity],
  ['LISTEN', listen],
  ['NOTIFY queue', queue],
  ['triggers', triggers],
  ['indexes', indexes],
  ['retention', retention],
  ['consumers', consumers],
  ['vacuum', vacuum],
  ['transactions', transactions],
  ['restore', restore],
  ['durability', durability],
  ['clock', clock],
  ['connections', connections],
  ['instances', instances],
];

/** Checks everything that djr needs of a database. A check that cannot run counts as failed. */
export async function* diagnose(client: pg.Client, openSecond: () => Promise<pg.Client>): AsyncGenerator<Finding> {
  for (const [check, run] of CHECKS) {
    try {
      yield { check, ...(await run(client, openSecond)) };
    } catch (error) {
      yield { check, ...failed((error as Error).message, 'Mend what is reported above first.') };
    }
  }
}
