import type { Asked, Grant, Want } from '../rooms.js';
import type { Seen } from '../seen.js';
import { SILENT_INTERVALS } from '../stream.js';
import type { State } from '../types.js';
import { type Group, joinGroup } from './group.js';
import type { Said } from './messages.js';
import { unionOf } from './union.js';

/** The page that is a tab here: its stream, and what it has shown. */
export interface Host {
  /** Id of the last frame, from which a stream begins. */
  lastId: string;
  readonly seen: Seen;
  /** Begins a stream at `lastId`, in place of one that stands. */
  open(): void;
  close(): void;
  /** Looks whether the stream still lives. */
  look(silence?: number): void;
  /** Shows a frame that the leader has passed on. */
  show(text: string, id: string, repeat: boolean): void;
  /** The page's stream, or the leader's, does this now. */
  state(state: State): void;
  /** The topics that the page wants. */
  wants(): Want[];
  /** {@link Tabs.union} may be different now. */
  changed(): void;
  /** What the leader's stream hears. */
  granted(grant: Grant): void;
}

/**
 * A tab is always one of these:
 *
 * - `alone`: it has a stream of its own, and does not know yet whose it is, or cannot share it.
 * - `electing`: it has a stream of its own and knows the others; it waits for its turn to lead, or for a leader to follow.
 * - `leading`: it has the lock, and passes every frame of its stream on.
 * - `following`: it has no stream, and shows what the leader passes on.
 *
 * ```
 * alone      connected with a key                            → electing
 * electing   has the lock and all that it came for           → leading
 * electing   welcomed, and the overlap with the leader over  → following
 * following  has the lock; or the leader does not answer, and it takes the lock → leading
 * leading    the lock was taken away, or another leads       → electing
 * following  its page joins a topic from where it read its state: it has to catch up by itself → electing
 * any        another user's key; put away; closed            → alone
 * ```
 */
type Role = 'alone' | 'electing' | 'leading' | 'following';

/** Milliseconds for which a tab keeps its own stream beside the leader's, so that instances of different delay leave no gap. */
const OVERLAP = 3000;

/** Seconds in which a leader answers, before another tab takes over. */
const ANSWER = 3;

export interface Tabs {
  readonly following: boolean;
  /** The server says it when the stream stands, and, where that begins with a resume, once more at the resume's end. */
  connected(key: string, resuming: boolean, heartbeat: number): void;
  /** A frame of the tab's own stream. */
  frame(text: string, id: string, event: number, repeat: boolean): void;
  /** What the tab's own stream was asked for, and hears. */
  granted(grant: Grant): void;
  /** The page wants other topics. */
  changed(): void;
  /** What the tab's own stream is to be asked for: where it leads, for all tabs. */
  union(): Asked;
  /** A heartbeat of the tab's own stream. */
  alive(): void;
  /** What the tab's own stream is doing. */
  state(state: State): void;
  /** The page is shown, or the network has changed. */
  look(silence?: number): void;
  /** Called every second. */
  tick(): void;
  /** `closed`: by the app, as on a logout. */
  leave(closed?: boolean): void;
}

/** The part that a page plays among the tabs of its endpoint. `name`: what tabs must have in common beside the server's key. */
export function createTabs(host: Host, name: string | undefined): Tabs {
  let role: Role = 'alone';
  let group: Group | undefined;
  let key: string | undefined;
  /** Whether the key of the stream as it is now is known: after a cut it could be another user's. */
  let verified = false;
  /** Whether this tab has what it came for: before that it neither leads nor follows, but catches up by itself. */
  let level = false;
  /** Its turn to lead came before it was level. */
  let turn = false;
  let welcome: { lastId: string; seen: number[] } | undefined;
  let overlap: ReturnType<typeof setTimeout> | undefined;
  /** Events of this tab's own stream, in the overlap, that the leader did not pass on: it is still catching up. */
  const ahead = new Set<number>();
  /** Who leads now: what an earlier leader says is not believed. */
  let term = 0;
  let heartbeat = 0;
  /** When the leader was heard last, and for how many seconds an answer has been awaited; 0: none is. */
  let heard = 0;
  let asked = 0;
  /** What other tabs want, by their names; who spoke last is last. */
  const members = new Map<string, Want[]>();
  const me = `${Math.random()}`;
  /** Whether the others would notice that this tab is gone: before that it wants nothing of them. Undefined: it has not tried. */
  let noticed: boolean | undefined;
  /** What the own stream hears, and the leader's. */
  let own: Grant | undefined;
  let leaders: Grant | undefined;

  const post = (...said: Said) => group?.post(term, ...said);
  const tell = () => {
    const wants = host.wants();
    if (noticed) post('want', me, wants);
    else if (group && wants.length && noticed === undefined) {
      noticed = false;
      group.appear(me, () => {
        noticed = true;
        tell();
      });
    }
  };
  const greet = () => {
    post('welcome', host.lastId, host.seen.all(), [...members, [me, host.wants()]]);
    if (own) post('grant', own);
  };
  const watch = (member: string) =>
    group?.watch(member, () => {
      if (members.delete(member) && role === 'leading') host.changed();
    });

  /** Whether the leader's stream has been asked for all that this page wants. */
  const covered = () =>
    host.wants().every(([topic, seal]) => leaders?.topics.has(topic) || leaders?.asked.get(topic)?.includes(seal));

  const stopOverlap = () => {
    clearTimeout(overlap);
    overlap = undefined;
  };

  const startOverlap = () => {
    if (overlap || !level || !covered()) return;
    ahead.clear();
    overlap = setTimeout(follow, OVERLAP);
  };

  const follow = () => {
    overlap = undefined;
    if (ahead.size || !covered()) return startOverlap();
    role = 'following';
    asked = 0;
    heard = Date.now();
    host.close();
    for (const event of welcome!.seen) host.seen.add(event);
    host.lastId = welcome!.lastId;
    host.state({ state: 'open' });
    if (leaders) host.granted(leaders);
  };

  const elected = () => {
    turn = role === 'electing' && !level;
    if (turn) return;
    stopOverlap();
    const takesOver = welcome ?? role === 'following';
    role = 'leading';
    term = Math.max(term + 1, Date.now());
    post('alive', '');
    for (const member of members.keys()) watch(member);
    if (takesOver) {
      // From where the last leader was, even when this tab's own stream is further: other tabs may not have it all.
      host.lastId = welcome?.lastId || host.lastId;
      host.open();
    } else {
      if (verified) greet();
      host.changed();
    }
  };

  const deposed = () => {
    if (role !== 'leading') return;
    role = 'electing';
    welcome = leaders = undefined;
    post('hello');
  };

  const ask = () => {
    asked ||= 1;
    post('ask');
  };

  const heardAsLeader = ([what]: Said) => {
    if (what === 'hello' && verified) greet();
    else if (what === 'ask') {
      post('alive', '');
      host.look();
    } else if (what === 'bye') host.open();
  };

  const heardFromLeader = (said: Said) => {
    heard = Date.now();
    asked = 0;
    if (said[0] === 'welcome') {
      welcome = { lastId: said[1], seen: said[2] };
      for (const [member, wants] of said[3]) if (member !== me) members.set(member, wants);
      if (role === 'following') host.state({ state: 'open' });
      else if (verified) startOverlap();
    } else if (said[0] === 'grant') {
      [, leaders] = said;
      if (role === 'following') host.granted(leaders);
      else if (welcome && verified) startOverlap();
    } else if (said[0] === 'state') {
      stopOverlap();
      if (role === 'following') host.state(said[1]);
    } else if (said[0] === 'alive' && welcome) {
      welcome.lastId = said[1] || welcome.lastId;
      if (role === 'following') host.lastId = welcome.lastId;
    } else if (said[0] === 'frame' && welcome) {
      const [, text, id, repeat] = said;
      const event = Number(id.split('-')[0]) || 0;
      ahead.delete(event);
      welcome.lastId = id || welcome.lastId;
      if (role === 'following') host.lastId = welcome.lastId;
      // Beside a stream of its own, only what is known by its number is taken from both.
      else if (repeat || !event) return;
      host.show(text, id, event > 0 && !host.seen.add(event));
    }
  };

  const hear = (said: Said, sender: number) => {
    const [what] = said;
    if (said[0] === 'want') {
      const [, member, wants] = said;
      const known = members.delete(member);
      if (wants.length) members.set(member, wants);
      if (role !== 'leading') return;
      if (!known && wants.length) watch(member);
      host.changed();
      if (own && verified) post('grant', own);
      return;
    }
    if (what === 'bye' && role === 'electing') host.open();
    if (what === 'hello' || what === 'ask' || what === 'bye') {
      if (role === 'leading') heardAsLeader(said);
      return;
    }
    // A leader that was suspended passes on what it has before it notices that another leads.
    if (sender < term) return;
    if (sender > term && host.wants().length) tell();
    term = sender;
    if (role === 'leading') deposed();
    heardFromLeader(said);
  };

  const leave = (closed = false) => {
    if (noticed) post('want', me, []);
    if (closed) post('bye');
    stopOverlap();
    group?.leave();
    members.clear();
    group = welcome = own = leaders = undefined;
    role = 'alone';
    verified = level = turn = false;
    noticed = undefined;
    term = asked = 0;
  };

  return {
    get following() {
      return role === 'following';
    },
    connected(newKey, resuming, interval) {
      if (newKey !== key) leave();
      key = newKey;
      verified = true;
      heartbeat = interval;
      // The resume of one that leads is that of its tabs, too.
      level = role === 'leading' || !resuming;
      if (!level) stopOverlap();
      if (role === 'alone' && key && name !== undefined) {
        group = joinGroup(`${name} ${key}`, { elected, deposed, heard: hear });
        tell();
        if (group) role = 'electing';
      }
      if (turn && level) elected();
      else if (role === 'leading') greet();
      else post('hello');
    },
    frame(text, id, event, repeat) {
      if (event && !repeat && overlap) ahead.add(event);
      if (role === 'leading' && verified) post('frame', text, id, repeat);
    },
    granted(grant) {
      own = grant;
      if (role === 'leading' && verified) post('grant', grant);
    },
    changed() {
      tell();
      if (role !== 'following') host.changed();
      else if (host.wants().some(([, , since]) => since)) {
        role = 'electing';
        level = false;
        host.open();
      }
    },
    union: () => unionOf(role === 'leading' ? members.values() : [], host.wants()),
    alive() {
      if (role === 'leading' && verified) post('alive', host.lastId);
    },
    state(state) {
      if (state.state === 'open') return;
      verified = false;
      level &&= role === 'leading';
      stopOverlap();
      if (role === 'leading') post('state', state);
    },
    look(silence) {
      if (role === 'following') ask();
      else host.look(silence);
    },
    tick() {
      if (role !== 'following') return;
      if (asked) {
        // Counted in ticks: a tab that was suspended itself has not listened meanwhile.
        if (asked++ > ANSWER) {
          asked = 0;
          heard = Date.now();
          group?.takeOver();
        }
      } else if (heartbeat && Date.now() - heard > heartbeat * SILENT_INTERVALS) ask();
    },
    leave,
  };
}
