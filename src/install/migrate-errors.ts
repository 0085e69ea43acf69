import { DjrError } from '../lib/errors.js';

/** The circumstances of a migration that failed. */
export interface Limits {
  readonly pid: number;
  /** The role that installs. */
  readonly role: string;
  /** Milliseconds; 0: none. */
  readonly lockTimeout: number;
  readonly statementTimeout: number;
  /** The session that held a lock for which the migration waited, as last seen. */
  readonly blocker?: string | undefined;
}

interface FromPostgres {
  code: string;
  message: string;
  detail?: string;
  hint?: string;
}

const isFromPostgres = (error: Error): error is Error & FromPostgres =>
  'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code);

const failed = (cause: Error, message: string, hint: string, detail?: string) =>
  new DjrError('DJR_MIGRATE', message, { hint, cause, ...(detail === undefined ? {} : { detail }) });

/** Explains a failure by its SQLSTATE to the person who installs, with the one thing to do. */
function bySqlstate(error: Error & FromPostgres, limits: Limits | undefined): DjrError {
  const role = limits?.role ?? 'the role';
  switch (error.code) {
    case 'DJR14':
      return failed(error, `Nothing was changed: ${error.message}.`, error.hint ?? '', error.detail);
    case '42501':
      return failed(
        error,
        `The role must be allowed to install djr, and ${role} is not: ${error.message}. Nothing was changed.`,
        'Run `djr migrate` as the role that owns the schema djr; for a first installation, as owner of the database: grant create on database YOUR_DATABASE to YOUR_ROLE.',
      );
    case '55P03': {
      const who = limits?.blocker ?? 'another session';
      return failed(
        error,
        `A lock was not to be had within ${limits?.lockTimeout ?? 0} ms: ${who} holds it. Nothing was changed.`,
        'Wait until that session has ended, or end it with pg_terminate_backend, and run `djr migrate` again.',
      );
    }
    case '57014': {
      const timeout = limits?.statementTimeout ?? 0;
      if (timeout === 0) {
        return failed(error, 'Somebody cancelled the migration, and nothing was changed.', 'Run `djr migrate` again.');
      }
      const blocked = limits?.blocker === undefined ? '' : ` It waited for a lock that ${limits.blocker} holds.`;
      return failed(
        error,
        `A statement of the migration was ended by the statement_timeout of ${timeout} ms, and nothing was changed.${blocked}`,
        "Run it without one: PGOPTIONS='-c statement_timeout=0' djr migrate; or: alter role YOUR_ROLE set statement_timeout = 0.",
      );
    }
    case '25006':
      return failed(
        error,
        `This database can only be read: ${error.message}. Nothing was changed.`,
        "Run it on the primary: give that server's host in the address of the database.",
      );
    case '40P01':
    case '40001':
      return failed(
        error,
        `The migration and another transaction waited for each other, and nothing was changed: ${error.message}.`,
        'Run `djr migrate` again.',
      );
    default:
      return failed(
        error,
        `The migration failed and nothing was changed: ${error.message}.`,
        error.hint ?? "Report it with the server's log of this moment, if it is not clear from the message.",
      );
  }
}

/** SQLSTATEs of a connection that is refused or lost, of a failed login, and of a server that stops or starts. */
const UNREACHABLE = /^(08|28|3D|57P|53300)/;

/** Explains any error to the person who installs, with the one thing to do. */
export function explainMigration(error: unknown, limits?: Limits): unknown {
  if (error instanceof DjrError || !(error instanceof Error)) return error;
  if (isFromPostgres(error) && !UNREACHABLE.test(error.code)) return bySqlstate(error, limits);
  const { code, message } = error as Error & { code?: unknown };
  return new DjrError('DJR_DATABASE', `The database cannot be reached: ${message || String(code)}.`, {
    hint: 'Check --database-url (or DATABASE_URL): host, port, database, user, password, TLS.',
    cause: error,
  });
}
