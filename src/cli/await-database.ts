import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { backoff } from '../lib/backoff.js';
import type { Logger } from '../lib/logger.js';
import { isUnreachable } from '../postgres/unreachable.js';
import { checkDatabase } from './database.js';
import { explain } from './failure.js';

/**
 * Resolves when PostgreSQL answers and has the schema. Until it answers it is asked again and again: after a restart of the machine it may
 * start later than the command, and a command that gives up may not be started again.
 *
 * @throws an error that waiting does not mend: a wrong password, no such database, no schema
 */
export async function awaitDatabase(config: pg.ClientConfig, logger: Logger): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      await checkDatabase(config);
      if (failures > 1) logger.info({}, 'PostgreSQL answers');
      return;
    } catch (err) {
      if (!isUnreachable(err)) throw err;
      const { message, hint } = explain(err);
      logger[failures === 1 ? 'error' : 'debug']({}, `${message} Trying again until it does. ${hint}`);
    }
    await setTimeout(backoff(failures));
  }
}
