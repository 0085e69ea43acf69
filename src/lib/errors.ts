/**
 * The one error type of djr. `code` is stable: match on it, not on the message.
 *
 * Errors raised by the schema keep their SQLSTATE as code (`DJR01` …); errors of the runtime have a code in capitals
 * (`DJR_CONFIG` …). docs/errors.md has all of them, with cause and cure.
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
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  typeof error.code === 'string' &&
  'message' in error &&
  typeof error.message === 'string';

/** Where libraries put the error of PostgreSQL that theirs is about. */
const INSIDE = ['cause', 'original', 'driverError', 'previous', 'meta', 'driverAdapterError'];

/** The error of the schema in what a library has thrown. */
function ofSchema(error: unknown, depth = 0): PostgresError | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  if (isPostgresError(error) && /^DJR[0-9A-Z]{2}$/.test(error.code)) return error;
  for (const name of INSIDE) {
    const found = ofSchema((error as Record<string, unknown>)[name], depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** Turns an error of the schema (SQLSTATE `DJR…`) into a {@link DjrError}; any other error is returned as it is. */
export function fromPostgres(error: unknown): unknown {
  const found = ofSchema(error);
  if (!found) return error;
  return new DjrError(found.code, found.message, { hint: found.hint, detail: found.detail, cause: error });
}
