import { codeOf } from '../../lib/error-code.js';
import { DjrError } from '../../lib/errors.js';
import {
  INSUFFICIENT_PRIVILEGE,
  INVALID_AUTHORIZATION,
  INVALID_CATALOG_NAME,
  INVALID_PASSWORD,
  INVALID_SCHEMA_NAME,
  isOfSchema,
  TOO_MANY_CONNECTIONS,
  UNDEFINED_FUNCTION,
  UNDEFINED_TABLE,
} from '../../postgres/sqlstate.js';
import type { StartFailure } from '../source.js';

type Known = Omit<StartFailure, 'check'>;

const MIGRATE = 'Run `djr migrate` as the owner of the schema';
const GRANT = "As the schema's owner: select djr.grant_server(ROLE)";
const UNREACHABLE = {
  message:
    'Is it running, are host and port in `database` (or DATABASE_URL) right, and does the network let this machine through?',
  told: 'The database cannot be reached yet; try again.',
};

/** Explanations by the code of the error: of a DjrError, an SQLSTATE of PostgreSQL, or a code of Node. */
const KNOWN: Record<string, Known> = {
  DJR_SCHEMA: { message: MIGRATE, told: 'The database has no schema djr, or an older one: run `djr migrate`.' },
  DJR_STANDBY: { message: 'Connect to the primary', told: 'The database is a standby, which takes no NOTIFY.' },
  [INVALID_PASSWORD]: {
    message: 'Correct the user or the password in `database`',
    told: 'The database refuses the login (28P01).',
  },
  [INVALID_AUTHORIZATION]: {
    message: 'Correct the user in `database`, or pg_hba.conf',
    told: 'The database refuses the login (28000).',
  },
  [INVALID_CATALOG_NAME]: {
    message: 'There is no such database: correct its name in `database`, or make it',
    told: 'The database does not exist (3D000).',
  },
  [INVALID_SCHEMA_NAME]: { message: MIGRATE, told: 'The database has no schema djr: run `djr migrate`.' },
  [UNDEFINED_TABLE]: { message: MIGRATE, told: 'The schema djr is not complete: run `djr migrate`.' },
  [UNDEFINED_FUNCTION]: { message: MIGRATE, told: 'The schema djr is not complete: run `djr migrate`.' },
  [INSUFFICIENT_PRIVILEGE]: {
    message: GRANT,
    told: 'The role of this instance lacks a right to the schema djr: see djr.grant_server.',
  },
  [TOO_MANY_CONNECTIONS]: {
    message: 'Close connections, or raise max_connections',
    told: 'The database has no connection left; try again.',
  },
  ECONNREFUSED: UNREACHABLE,
  ECONNRESET: UNREACHABLE,
  ENOTFOUND: UNREACHABLE,
  EAI_AGAIN: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENOENT: UNREACHABLE,
};

/** Any other error: the log has it, and clients are told nothing more. */
const UNKNOWN: Known = { message: 'The error says why', told: UNREACHABLE.told };

/** The error itself; if a host has several addresses and all of them failed, the last one's error. */
const lastOf = (error: unknown): unknown => (error instanceof AggregateError ? lastOf(error.errors.at(-1)) : error);

/** Explains why the start failed. */
export function explainStart(error: unknown): StartFailure {
  const last = lastOf(error);
  const known = KNOWN[codeOf(last) ?? ''] ?? UNKNOWN;
  const hint = error instanceof DjrError ? error.hint?.replace(/\.$/, '') : undefined;
  return { message: hint ?? known.message, told: known.told, check: isOfSchema(last) ? 'schema' : 'database' };
}
