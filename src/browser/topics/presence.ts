import type { Detail } from '../../event/event.js';
import type { Presence } from '../types.js';
import type { Present } from './words.js';

/** A topic's presence after a `presence` frame. */
export function presenceAfter(before: Present | undefined, { users, joined, left, count }: Detail): Present {
  const number = Number(count) || 0;
  if (Array.isArray(users)) return { users, count: number };
  const known = before?.users;
  // Too many users are not named: then only the count is known until a whole list comes.
  if (!known || !Array.isArray(joined) || !Array.isArray(left)) return { users: undefined, count: number };
  return {
    users: [...known.filter((user) => !left.includes(user) && !joined.includes(user)), ...joined],
    count: number,
  };
}

/** Up to so many users a page is given by name. */
const MAX_NAMED = 200;

/** The presence that a page sees. Of more users only the count is shown, even if all their names are known from earlier frames. */
export const visible = ({ users, count }: Present): Present => ({
  users: count > MAX_NAMED ? undefined : users,
  count,
});

/** The change that a page is told. @returns undefined if nothing has changed */
export function changeOf(before: Present | undefined, now: Present): Presence | undefined {
  const joined = now.users?.filter((user) => !before?.users?.includes(user)) ?? [];
  const left = before?.users?.filter((user) => now.users && !now.users.includes(user)) ?? [];
  if (before && before.count === now.count && !joined.length && !left.length) return undefined;
  return { ...visible(now), joined, left };
}
