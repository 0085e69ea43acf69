import { DjrError } from '../errors.js';

/** The command was called in a way that cannot work: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

interface Failure {
  /** What happened, one sentence. */
  message: string;
  /** What to do, one sentence. */
  hint: string;
}

/** An error of Node, pg or PostgreSQL: all of them have a `code`, and some of these. */
interface Coded {
  code: string;
  message: string;
  hint?: string;
  address?: string;
  port?: number;
  hostname?: string;
  severity?: string;
}

const VERBOSE = 'Run it again with --verbose for the whole error.';

/** PostgreSQL's messages begin small and end without a full stop. */
const sentence = (text = '') => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

const place = ({ address, port }: Coded) => (port === undefined ? address : `${address ?? 'localhost'}:${port}`);

/** By Node's error code or PostgreSQL's SQLSTATE. */
const KNOWN: Record<string, (error: Coded) => Failure> = {
  ECONNREFUSED: (error) => ({
    message: `No PostgreSQL answers at ${place(error) ?? 'that address'}.`,
    hint: 'Start it, or correct --database-url or DATABASE_URL.',
  }),
  ENOTFOUND: (error) => ({
    message: `There is no host named ${error.hostname}.`,
    hint: error.hostname?.includes(',')
      ? 'Give one host in --database-url or DATABASE_URL, the one of the primary.'
      : 'Correct the host in --database-url or DATABASE_URL.',
  }),
  ETIMEDOUT: (error) => ({
    message: `${place(error) ?? 'The database'} does not answer.`,
    hint: 'Is the host right, and does a firewall let this machine through?',
  }),
  EADDRINUSE: (error) => ({
    message: `Port ${error.port} on ${error.address} is in use.`,
    hint: 'Give another with --port; --port 0 takes any that is free.',
  }),
  EADDRNOTAVAIL: (error) => ({
    message: `${error.address} is no address of this machine.`,
    hint: 'Give one with --host: 127.0.0.1 for this machine only, 0.0.0.0 for all its addresses.',
  }),
  EACCES: (error) => ({
    message: error.port === undefined ? error.message : `This user may not listen on port ${error.port}.`,
    hint: error.port === undefined ? 'Give it the right to that file.' : 'Give a port above 1023 with --port.',
  }),
  '28P01': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: 'Correct the user or password in DATABASE_URL.',
  }),
  '28000': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: 'Correct the user in DATABASE_URL, or pg_hba.conf.',
  }),
  '3D000': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: 'Create it, or correct the name in DATABASE_URL.',
  }),
  '3F000': () => NOT_INSTALLED,
  '42P01': (error) => (error.message.includes('djr.') ? NOT_INSTALLED : fromDatabase(error)),
  '42883': (error) => (error.message.includes('djr.') ? NOT_INSTALLED : fromDatabase(error)),
  '42501': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: 'As owner of the schema: select djr.grant_publish(ROLE) to publish, djr.grant_server(ROLE) to serve and tail.',
  }),
  '25006': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: "This server can only be read. Give the primary's host in DATABASE_URL.",
  }),
  '55P03': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: 'Another session holds what this needs. Who: select pid, usename, state, xact_start from pg_stat_activity order by xact_start.',
  }),
  '57014': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: "Where the role's statement_timeout is too short: PGOPTIONS='-c statement_timeout=30s' djr ….",
  }),
  '53300': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: 'Close connections, or raise max_connections.',
  }),
};

const NOT_INSTALLED: Failure = {
  message: 'This database has no schema djr.',
  hint: 'Run `djr migrate` first.',
};

const fromDatabase = (error: Coded): Failure => ({
  message: `PostgreSQL: ${error.message} (${error.code}).`,
  hint: error.hint ?? VERBOSE,
});

const isCoded = (error: unknown): error is Coded =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';

/** What happened and what to do about it, a sentence each. */
export function explain(error: unknown): Failure {
  if (error instanceof UsageError) return error;
  if (error instanceof DjrError) {
    return {
      message: [error.message, error.detail].filter(Boolean).map(sentence).join(' '),
      hint: error.hint ?? VERBOSE,
    };
  }
  // A host name with several addresses, each of which failed: one of them says enough.
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors.at(-1));
  if (isCoded(error)) {
    const known = KNOWN[error.code];
    if (known) return known(error);
    if (error.severity !== undefined) return fromDatabase(error);
  }
  return { message: error instanceof Error ? error.message : String(error), hint: VERBOSE };
}

export function reportFailure(error: unknown, { verbose }: { verbose: boolean }): void {
  const { message, hint } = explain(error);
  process.stderr.write(`error: ${message}\n${hint}\n`);
  if (verbose) console.error(error);
}
