import { DjrError } from '../lib/errors.js';

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

/** Properties in which libraries keep the error of PostgreSQL that their own error wraps. */
const INSIDE = ['cause', 'original', 'driverError', 'previous', 'meta', 'driverAdapterError'];

/** Finds the schema's error in an error that a library has thrown. */
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
