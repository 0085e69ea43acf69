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
  /** More about the cause, as PostgreSQL's DETAIL has it. */
  readonly detail: string | undefined;

  constructor(code: string, message: string, options: { hint?: string; detail?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
  }
}
