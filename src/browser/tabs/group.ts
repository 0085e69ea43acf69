import type { Envelope, Said } from './messages.js';

/** What a {@link Group} calls on the tab that is its member. */
export interface GroupHandlers {
  /** This tab has the lock. */
  elected(): void;
  /** Another tab has taken the lock away. */
  deposed(): void;
  heard(said: Said, term: number): void;
}

/** The membership of this tab in the group of tabs that share a stream. */
export interface Group {
  post(term: number, ...said: Said): void;
  /** Takes the lock away from a leader that does not answer. */
  takeOver(): void;
  /** Gives up the lock, so that the tab that has waited longest leads, and waits behind the others. */
  giveWay(): void;
  /** Takes a lock with the member's name, by which the others notice when the member is gone. */
  appear(member: string, ready: () => void): void;
  /** Calls `gone` once when the member of this name is gone, for whatever reason. */
  watch(member: string, gone: () => void): void;
  /** Leaves the group and gives up the lock, so that the tab that has waited longest leads. */
  leave(): void;
}

/**
 * Joins the group of tabs with this name. The tab that holds the Web Lock of that name leads, as long as it lives and answers.
 *
 * @returns undefined where tabs cannot share: no Web Locks (they need https or localhost) or no BroadcastChannel.
 */
export function joinGroup(name: string, { elected, deposed, heard }: GroupHandlers): Group | undefined {
  if (!isSecureContext || !navigator.locks || !self.BroadcastChannel) return undefined;
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data: { term, said } }: MessageEvent<Envelope>) => heard(said, term);
  let left = false;
  let letGo = () => {};
  const leaving = new AbortController();
  const { signal } = leaving;
  const lockOf = (member: string) => `${name} ${member}`;

  const queue = (steal: boolean) => {
    letGo();
    const waiting = new AbortController();
    let held = false;
    letGo = () => waiting.abort();
    navigator.locks
      .request(name, steal ? { steal } : { signal: waiting.signal }, () => {
        if (left) return;
        held = true;
        const until = new Promise<void>((resolve) => {
          letGo = resolve;
        });
        elected();
        return until;
      })
      .catch(() => {
        // If the lock was never held, the tab left before its turn, or the browser forbids locks here (an opaque origin) and no tab is
        // ever elected. If it was held, another tab has taken it away.
        if (!held || left) return;
        queue(false);
        deposed();
      });
  };

  queue(false);
  return {
    post: (term, ...said) => channel.postMessage({ term, said } satisfies Envelope),
    takeOver: () => queue(true),
    giveWay: () => queue(false),
    appear(member, ready) {
      const until = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      const held = () => {
        if (left) return;
        ready();
        return until;
      };
      navigator.locks.request(lockOf(member), { signal }, held).catch(() => {});
    },
    watch(tab, gone) {
      navigator.locks.request(lockOf(tab), { signal }, () => left || gone()).catch(() => {});
    },
    leave() {
      left = true;
      leaving.abort();
      channel.close();
      letGo();
    },
  };
}
