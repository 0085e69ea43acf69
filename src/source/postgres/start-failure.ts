import { DjrError } from '../../lib/errors.js';

/** Why an instance does not start: for the log, and for whoever asks it for a stream. */
export interface StartFailure {
  /** What is wrong and what to do about it. */
  message: string;
  /** The same without what only the people who run the app should know: no address, no name of a role. */
  told: string;
}

const MIGRATE = 'Run `djr migrate` as the owner of the schema';
const GRANT = "As the schema's owner: select djr.grant_server(ROLE)";
const UNREACHABLE = {
  message:
    'Is it running, are host and port in `database` (or DATABASE_URL) right, and does the network let this machine through?',
  told: 'The database cannot be reached yet; try again.',
};

/** By the code of a DjrError, PostgreSQL's SQLSTATE or Node's code. */
const KNOWN: Record<string, StartFailure> = {
  DJR_SCHEMA: { message: MIGRATE, told: 'The database has no schema djr, or an older one: run `djr migrate`.' },
  DJR_STANDBY: { message: 'Connect to the primary', told: 'The database is a standby, which takes no NOTIFY.' },
  '28P01': {
    message: 'Correct the user or the password in `database`',
    told: 'The database refuses the login (28P01).',
  },
  '28000': {
    message: 'Correct the user in `database`, or pg_hba.conf',
    told: 'The database refuses the login (28000).',
  },
  '3D000': {
    message: 'There is no such database: correct its name in `database`, or make it',
    told: 'The database does not exist (3D000).',
  },
  '3F000': { message: MIGRATE, told: 'The database has no schema djr: run `djr migrate`.' },
  '42P01': { message: MIGRATE, told: 'The schema djr is not complete: run `djr migrate`.' },
  '42883': { message: MIGRATE, told: 'The schema djr is not complete: run `djr migrate`.' },
  '42501': { message: GRANT, told: 'The role of this instance lacks a right to the schema djr: see djr.grant_server.' },
  '53300': {
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

/** The log has what went wrong; nobody outside is told more. */
const UNKNOWN: StartFailure = { message: 'The error says why', told: UNREACHABLE.told };

const codeOf = (error: unknown): string => {
  // A host with several addresses, each of which failed.
  if (error instanceof AggregateError) return codeOf(error.errors.at(-1));
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
};

/** What to do about it, and what may be told. */
export function explainStart(error: unknown): StartFailure {
  const known = KNOWN[codeOf(error)] ?? UNKNOWN;
  if (!(error instanceof DjrError) || error.hint === undefined) return known;
  return { message: error.hint.replace(/\.$/, ''), told: known.told };
}
