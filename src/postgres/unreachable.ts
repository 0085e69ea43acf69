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

/** Errors of the network, and SQLSTATEs beside class 08 of a server that starts, stops or has no connection left. */
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

/** Messages of pg without a code: there was no answer in time, or the connection ended. */
const MESSAGES =
  /^timeout|timeout exceeded when trying to connect|connection terminated|connection ended|client has encountered a connection error|connection error and is not queryable/i;

/** Whether an error says that PostgreSQL cannot be reached, and nothing about the statement: a later attempt may succeed. */
export function isUnreachable(error: unknown): boolean {
  // The host has several addresses, and all of them failed.
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

/** Whether no retry can help: the password is wrong, the role or database does not exist, or the schema cannot be used. */
export const isHopeless = (error: unknown): boolean => HOPELESS.has(codeOf(error) ?? '');
