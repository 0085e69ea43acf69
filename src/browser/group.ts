/** What the tabs of one stream and one user say to one another. */
export type Said =
  /** A tab with a stream of its own asks for the leader. */
  | ['hello']
  /** The leader is connected: the last id of its stream, and the numbers of the events that it has seen. */
  | ['welcome', lastId: string, seen: number[]]
  /**
   * A frame of the leader's stream, as text: a browser clones no object that is nested as deeply as a detail may be.
   * `repeat`: the leader had this event before.
   */
  | ['frame', text: string, id: string, repeat: boolean]
  /** The leader's stream was cut off. */
  | ['down']
  /** A tab has reason to think that the network is back. */
  | ['hurry'];

/** Membership in the tabs that share a stream. */
export interface Group {
  post(...message: Said): void;
  /** Also lets go of the lock, so that the tab that waits longest leads. */
  leave(): void;
}

/**
 * Joins the tabs of a name. The lock of that name elects the leader, for as long as its tab lives.
 *
 * @returns undefined where tabs cannot share: no Web Locks (they need https or localhost) or no BroadcastChannel.
 */
export function joinGroup(name: string, elected: () => void, heard: (message: Said) => void): Group | undefined {
  if (!isSecureContext || !navigator.locks || !self.BroadcastChannel) return undefined;
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => heard(data);
  const waiting = new AbortController();
  let left = false;
  let release = () => waiting.abort();
  navigator.locks
    .request(name, { signal: waiting.signal }, () => {
      if (left) return;
      elected();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    })
    // Left before its turn came; or the browser forbids locks here (an opaque origin), and nobody is ever elected.
    .catch(() => {});
  return {
    post: (...message) => channel.postMessage(message),
    leave() {
      left = true;
      channel.close();
      release();
    },
  };
}
