import type { Envelope, Said } from './messages.js';

/** What a {@link Group} tells its member. */
export interface GroupHandlers {
  /** This tab has the lock. */
  elected(): void;
  /** Another tab has taken the lock away. */
  deposed(): void;
  heard(said: Said, term: number): void;
}

/** Membership in the tabs that share a stream. */
export interface Group {
  post(term: number, ...said: Said): void;
  /** Takes the lock from a tab that does not answer. */
  takeOver(): void;
  /** Lets the tab that waits longest lead, and waits behind the others. */
  giveWay(): void;
  /** Takes a lock of the member's own name, so that the others notice when it is gone. */
  appear(member: string, ready: () => void): void;
  /** Tells once when a member of this name is gone, however it went. */
  watch(member: string, gone: () => void): void;
  /** Also lets go of the lock, so that the tab that waits longest leads. */
  leave(): void;
}

/**
 * Joins the tabs of a name. The lock of that name elects the leader, for as long as its tab lives and answers.
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
        // Not held: left before its turn came; or the browser forbids locks here (an opaque origin), and nobody is ever elected.
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
