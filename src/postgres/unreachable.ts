import { codeOf } from '../lib/error-code.js';
import {
  ADMIN_SHUTDOWN,
  CANNOT_CONNECT_NOW,
  CRASH_SHUTDOWN,
  INVALID_AUTHORIZATION,
  INVALID_CATALOG_NAME,
  INVALID_PASSWORD,
  TOO_MANY_CONNECTIONS,
} from './sqlstate.js';

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
  TOO_MANY_CONNECTIONS,
  ADMIN_SHUTDOWN,
  CRASH_SHUTDOWN,
  CANNOT_CONNECT_NOW,
  'DJR_NO_PRIMARY',
]);

/** What pg says without a code: no answer in time, or a connection that ended. */
const MESSAGES =
  /^timeout|timeout exceeded when trying to connect|connection terminated|connection ended|client has encountered a connection error|connection error and is not queryable/i;

/** Whether an error says that PostgreSQL is away, and nothing about what it was asked: it may answer later. */
export function isUnreachable(error: unknown): boolean {
  // A host with several addresses, each of which failed.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isUnreachable);
  if (!(error instanceof Error)) return false;
  const code = codeOf(error) ?? '';
  return CODES.has(code) || /^08...$/.test(code) || MESSAGES.test(error.message);
}

const HOPELESS = new Set([
  INVALID_PASSWORD,
  INVALID_AUTHORIZATION,
  INVALID_CATALOG_NAME,
  'DJR_CONFIG',
  'DJR_SCHEMA',
  'DJR_STANDBY',
  'DJR_ROW_SECURITY',
]);

/** Whether no retry mends it: wrong password, no such role or database, or a schema that is not ours to use. */
export const isHopeless = (error: unknown): boolean => HOPELESS.has(codeOf(error) ?? '');
