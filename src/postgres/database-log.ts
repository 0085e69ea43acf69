import { codeOf } from '../lib/error-code.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { INSUFFICIENT_PRIVILEGE, QUERY_CANCELED } from './sqlstate.js';

/** What to do about errors whose messages do not say it. */
const HINTS: Record<string, string> = {
  [INSUFFICIENT_PRIVILEGE]: "As the schema's owner: select djr.grant_server(ROLE)",
  [QUERY_CANCELED]:
    "Either somebody holds a lock for long, or the role's statement_timeout is too short: alter role ROLE set statement_timeout = '30s'",
};

/** A logger for work that asks the database again and again: it logs each failure once, with what to do about it. */
export const databaseLog = (logger: Logger): OnceLogger =>
  new OnceLogger(logger, (error) => HINTS[codeOf(error) ?? '']);
