import { codeOf, isSqlState } from '../lib/error-code.js';

/** SQLSTATEs by the names that PostgreSQL's manual gives them (appendix A). */
export const INVALID_AUTHORIZATION = '28000';
export const INVALID_PASSWORD = '28P01';
export const INVALID_CATALOG_NAME = '3D000';
export const INVALID_SCHEMA_NAME = '3F000';
export const SERIALIZATION_FAILURE = '40001';
export const DEADLOCK_DETECTED = '40P01';
export const INSUFFICIENT_PRIVILEGE = '42501';
const UNDEFINED_COLUMN = '42703';
export const UNDEFINED_FUNCTION = '42883';
export const UNDEFINED_TABLE = '42P01';
export const TOO_MANY_CONNECTIONS = '53300';
/** What `pg_notify` says while the NOTIFY queue is full. */
export const PROGRAM_LIMIT_EXCEEDED = '54000';
export const QUERY_CANCELED = '57014';
export const ADMIN_SHUTDOWN = '57P01';
export const CRASH_SHUTDOWN = '57P02';
export const CANNOT_CONNECT_NOW = '57P03';
export const IDLE_SESSION_TIMEOUT = '57P05';

/** These say that the schema, or a part of it, does not exist as this version knows it, or that this role may not use it. */
const OF_SCHEMA = new Set([
  INVALID_SCHEMA_NAME,
  UNDEFINED_TABLE,
  UNDEFINED_COLUMN,
  UNDEFINED_FUNCTION,
  INSUFFICIENT_PRIVILEGE,
  'DJR_SCHEMA',
]);

/** Whether an error concerns the schema djr and not the connection. */
export const isOfSchema = (error: unknown): boolean => OF_SCHEMA.has(codeOf(error) ?? '');

/** Whether PostgreSQL was not reached or cannot take a statement now, so that another connection may get an answer. */
export function isNoAnswer(error: unknown): boolean {
  const code = codeOf(error);
  return !isSqlState(code) || /^(08|53|57P)/.test(code);
}
