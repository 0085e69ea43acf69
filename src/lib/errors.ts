/**
 * The one error type of djr. `code` is stable: match on it, not on the message.
 *
 * Errors raised by the schema keep their SQLSTATE as code (`DJR01` …, see docs/sql.md);
 * errors of the runtime have a code in capitals (`DJR_CONFIG` …).
 */
export class DjrError extends Error {
  override readonly name = 'DjrError';
  readonly code: string;
  /** What to do about it, one sentence. */
  readonly hint: string | undefined;
  /** The numbers behind it, as PostgreSQL's DETAIL has them. */
  readonly detail: string | undefined;

  constructor(code: string, message: string, options: { hint?: string; detail?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
  }
}

interface PostgresError {
  code: string;
  message: string;
  detail?: string;
  hint?: string;
}

const isPostgresError = (error: unknown): error is PostgresError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code);

/** Turns an error of the schema (SQLSTATE `DJR…`) into a {@link DjrError}; any other error is returned as it is. */
export function fromPostgres(error: unknown): unknown {
  if (!isPostgresError(error) || !error.code.startsWith('DJR')) return error;
  return new DjrError(error.code, error.message, { hint: error.hint, detail: error.detail, cause: error });
}
