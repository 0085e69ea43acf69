import { codeOf } from '../lib/error-code.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { INSUFFICIENT_PRIVILEGE, QUERY_CANCELED } from './sqlstate.js';

/** What to do about an error where its message alone does not say. */
const HINTS: Record<string, string> = {
  [INSUFFICIENT_PRIVILEGE]: "As the schema's owner: select djr.grant_server(ROLE)",
  [QUERY_CANCELED]:
    "Either somebody holds a lock for long, or the role's statement_timeout is too short: alter role ROLE set statement_timeout = '30s'",
};

/** A log for work that asks the database time and again: it says each failure once, and what to do about it. */
export const databaseLog = (logger: Logger): OnceLogger =>
  new OnceLogger(logger, (error) => HINTS[codeOf(error) ?? '']);
