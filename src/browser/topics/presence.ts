import type { Detail } from '../../event/event.js';
import type { Presence } from '../types.js';
import type { Present } from './words.js';

/** What is known of a topic's presence after a frame about it. */
export function presenceAfter(before: Present | undefined, { users, joined, left, count }: Detail): Present {
  const number = Number(count) || 0;
  if (Array.isArray(users)) return { users, count: number };
  const known = before?.users;
  // Too many are not named: who they are is not known until a whole list comes.
  if (!known || !Array.isArray(joined) || !Array.isArray(left)) return { users: undefined, count: number };
  return {
    users: [...known.filter((user) => !left.includes(user) && !joined.includes(user)), ...joined],
    count: number,
  };
}

/** Users that a page is given by name. */
const MAX_NAMED = 200;

/** What a page sees: of many users a number, also where all of them have been named one after the other. */
export const visible = ({ users, count }: Present): Present => ({
  users: count > MAX_NAMED ? undefined : users,
  count,
});

/** What a page is told of a change. @returns undefined where nothing has changed for it */
export function changeOf(before: Present | undefined, now: Present): Presence | undefined {
  const joined = now.users?.filter((user) => !before?.users?.includes(user)) ?? [];
  const left = before?.users?.filter((user) => now.users && !now.users.includes(user)) ?? [];
  if (before && before.count === now.count && !joined.length && !left.length) return undefined;
  return { ...visible(now), joined, left };
}
