import { DjrError } from '../lib/errors.js';
import { ListenError } from './listen.js';
import { TLS_FAILURES, tlsFailureOf } from './tls-failure.js';

/** The command was called in a way that cannot work: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

export interface Failure {
  /** What happened, as one sentence. */
  message: string;
  /** What to do, as one sentence. */
  hint: string;
}

/** An error of Node, pg or PostgreSQL. All of them have a `code`, and some have these fields. */
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

/** Makes a sentence of a message of PostgreSQL, which begins with a small letter and ends without a full stop. */
const sentence = (text = '') => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

const place = ({ address, port }: Coded) => (port === undefined ? address : `${address ?? 'localhost'}:${port}`);

/** Explanations by Node's error code or PostgreSQL's SQLSTATE. */
const KNOWN: Record<string, (error: Coded) => Failure> = {
  ECONNREFUSED: (error) => ({
    message: `No PostgreSQL answers at ${place(error) ?? 'that address'}.`,
    hint: 'Start it, or correct --database-url or DATABASE_URL.',
  }),
  ENOTFOUND: (error) => ({
    message: `There is no host named ${error.hostname}.`,
    hint: 'Correct the host in --database-url or DATABASE_URL.',
  }),
  ETIMEDOUT: (error) => ({
    message: `${place(error) ?? 'The database'} does not answer.`,
    hint: 'Is the host right, and does a firewall let this machine through?',
  }),
  EAI_AGAIN: (error) => ({
    message: `The host name ${error.hostname} cannot be resolved at the moment.`,
    hint: 'Does DNS work on this machine? Else correct the host in --database-url or DATABASE_URL.',
  }),
  EHOSTUNREACH: (error) => unreachable(error),
  ENETUNREACH: (error) => unreachable(error),
  ECONNRESET: () => ({
    message: 'The connection to PostgreSQL was cut.',
    hint: 'Its log says why; a proxy or a firewall on the way may cut connections, too.',
  }),
  EACCES: (error) => ({ message: error.message, hint: 'Give this user the right to that file.' }),
  ...TLS_FAILURES,
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
    hint: 'As owner of the schema: select djr.grant_publish(ROLE) to publish, djr.grant_server(ROLE) for the other commands.',
  }),
  '25006': (error) => ({
    message: `PostgreSQL: ${error.message}.`,
    hint: "This server can only be read: give the primary's host in DATABASE_URL. Or the role or database has default_transaction_read_only = on.",
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

function unreachable(error: Coded): Failure {
  return {
    message: `No network of this machine leads to ${place(error) ?? 'the database'}.`,
    hint: 'Correct the host in --database-url or DATABASE_URL, or the network.',
  };
}

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

/** Explains an error: what happened and what to do about it, with one sentence for each. */
export function explain(error: unknown): Failure {
  if (error instanceof UsageError || error instanceof ListenError) return error;
  if (error instanceof DjrError) {
    return {
      message: [error.message, addition(error)].filter(Boolean).map(sentence).join(' '),
      hint: error.hint ?? VERBOSE,
    };
  }
  // The host name has several addresses, and all of them failed. One of the errors says enough.
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors.at(-1));
  if (isCoded(error)) {
    const known = KNOWN[error.code];
    if (known) return known(error);
    if (error.severity !== undefined) return fromDatabase(error);
  }
  const tls = tlsFailureOf(error);
  if (tls) return tls;
  return { message: error instanceof Error ? error.message : String(error), hint: VERBOSE };
}

/** The detail of an error, unless its message says the same in brackets. */
function addition({ detail, message }: DjrError): string | undefined {
  const said = detail?.replace(/\.$/, '').replace(/^./, (first) => first.toLowerCase());
  return said && message.includes(`(${said})`) ? undefined : detail;
}

export function reportFailure(error: unknown, { verbose }: { verbose: boolean }): void {
  const { message, hint } = explain(error);
  process.stderr.write(`error: ${message}\n${hint}\n`);
  if (verbose) console.error(error);
}
