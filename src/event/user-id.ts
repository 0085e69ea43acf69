import { DjrError } from '../lib/errors.js';

/** A user's id as your app has it: a text of 1 to 255 characters, a safe integer, or a bigint. */
export type UserId = string | number | bigint;

/** Characters that the domain `djr.event_user` allows. PostgreSQL counts code points and not UTF-16 units. */
const MAX_LENGTH = 255;

/**
 * Whether the domain `djr.event_user` can hold exactly this text. PostgreSQL has no NUL. A lone surrogate has no form in UTF-8: pg
 * would send the same replacement character for each of them, and so make one user of many.
 */
export function isUserText(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 2 * MAX_LENGTH) return false;
  if (value.includes('\0') || LONE_SURROGATE.test(value)) return false;
  return value.length <= MAX_LENGTH || [...value].length <= MAX_LENGTH;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Makes the id of a user from a value of the app; every such value passes here. A value that names nobody is an error, as it must become
 * neither an event for everyone nor an id that many users share.
 *
 * @param value - a text that `djr.event_user` holds, a safe integer, or a bigint
 * @param where - what the message calls it
 * @throws {@link DjrError} `DJR02` if the value is missing (undefined, null), `DJR03` if no user can have it as id
 */
export function toUserId(value: unknown, where = 'a user_id'): string {
  if (value === undefined || value === null) {
    throw new DjrError('DJR02', `${where} must name a user (it is ${value})`, {
      hint: "Is the user's id missing here? An event for every client says so: { scope: 'public', … }.",
    });
  }
  if (typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0))) {
    const text = String(value);
    if (isUserText(text)) return text;
  } else if (isUserText(value)) return value;
  throw new DjrError(
    'DJR03',
    `${where} must be a text of 1 to ${MAX_LENGTH} characters, a safe integer or a bigint (it ${describe(value)})`,
    {
      hint: 'Pass the id by which your login knows the user; a number beyond 2^53 as a text or a bigint.',
    },
  );
}

function describe(value: unknown): string {
  if (typeof value === 'bigint') return `has ${String(value).length} digits`;
  if (typeof value === 'number') return `is ${Object.is(value, -0) ? '-0' : value}`;
  if (typeof value !== 'string') return `is of type ${Array.isArray(value) ? 'array' : typeof value}`;
  if (value.includes('\0')) return 'has a NUL character';
  if (LONE_SURROGATE.test(value)) return 'has half a surrogate pair';
  return `has ${[...value].length} characters`;
}
