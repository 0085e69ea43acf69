/** The network's errors, and a server that starts, stops or has no connection left (class 08 and these). */
const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  'DJR_NO_PRIMARY',
]);

/**
 * Whether an error says that PostgreSQL is away, and nothing about what it was asked: it may answer later, with nothing
 * changed here. pg has no code for some of them.
 */
export function isUnreachable(error: unknown): boolean {
  // A host name with several addresses, each of which failed.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isUnreachable);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (CODES.has(code) || /^08...$/.test(code)) return true;
  return /^timeout|connection terminated|connection ended|client has encountered a connection error|timeout exceeded when trying to connect|connection error and is not queryable/i.test(
    error.message,
  );
}
