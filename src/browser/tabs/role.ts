/**
 * What a page is among the tabs of its endpoint and user:
 *
 * - `alone`: it has a stream of its own, and does not know yet whose it is, or cannot share it.
 * - `electing`: it has a stream of its own and knows the others; it waits for its turn to lead, or for a leader to follow.
 * - `leading`: it has the lock, and passes every frame of its stream on.
 * - `following`: it has no stream, and shows what the leader passes on.
 */
export type Role = 'alone' | 'electing' | 'leading' | 'following';

/**
 * What makes it something else:
 *
 * - `met`: its stream is connected with a key, and the browser lets tabs share.
 * - `elected`: it has the lock, as its turn has come, or as it took it from a leader that does not answer; and it is level: all
 *   that its own page missed has come.
 * - `welcomed`: another tab leads, and both streams have stood beside each other for long enough to leave no gap.
 * - `deposed`: the lock was taken away, or another leads.
 * - `behind`: its page joins a topic from where it read its state, which the other tabs do not need: it catches up by itself.
 * - `left`: the key is another user's; the page is put away, or closed.
 */
export type Happening = 'met' | 'elected' | 'welcomed' | 'deposed' | 'behind' | 'left';

const TRANSITIONS: Record<Role, Partial<Record<Happening, Role>>> = {
  alone: { met: 'electing', left: 'alone' },
  electing: { elected: 'leading', welcomed: 'following', left: 'alone' },
  leading: { elected: 'leading', deposed: 'electing', behind: 'electing', left: 'alone' },
  following: { elected: 'leading', behind: 'electing', left: 'alone' },
};

/** @returns the role after it; the same where it means nothing to this role */
export const roleAfter = (role: Role, happening: Happening): Role => TRANSITIONS[role][happening] ?? role;
