/**
 * The role of a page among the tabs of its endpoint and user:
 *
 * - `alone`: it has a stream of its own, and does not yet know which user the stream belongs to, or cannot share it.
 * - `electing`: it has a stream of its own and has joined the group; it waits to get the lock, or for a leader to follow.
 * - `leading`: it holds the lock, and passes every frame of its stream to the others.
 * - `following`: it has no stream, and shows the frames that the leader passes on.
 */
export type Role = 'alone' | 'electing' | 'leading' | 'following';

/**
 * What changes the role:
 *
 * - `met`: its stream is connected, the server has told the key, and the browser lets tabs share.
 * - `elected`: it holds the lock, because its turn came or because it took the lock from a leader that did not answer; and its page
 *   has got everything that it missed.
 * - `welcomed`: another tab leads, and the streams of both were open together for long enough that no event falls between them.
 * - `deposed`: another tab took the lock away, or leads.
 * - `behind`: its page joins a topic from the place at which it read its state. The other tabs do not need those events, so this tab
 *   catches up with a stream of its own.
 * - `left`: the key belongs to another user now, or the page is frozen, left or closed.
 */
export type Happening = 'met' | 'elected' | 'welcomed' | 'deposed' | 'behind' | 'left';

const TRANSITIONS: Record<Role, Partial<Record<Happening, Role>>> = {
  alone: { met: 'electing', left: 'alone' },
  electing: { elected: 'leading', welcomed: 'following', left: 'alone' },
  leading: { elected: 'leading', deposed: 'electing', behind: 'electing', left: 'alone' },
  following: { elected: 'leading', behind: 'electing', left: 'alone' },
};

/** @returns the role after the happening; the same role if the happening does not concern it */
export const roleAfter = (role: Role, happening: Happening): Role => TRANSITIONS[role][happening] ?? role;
