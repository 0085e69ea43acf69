import type { Seen } from '../seen.js';
import { SILENT_INTERVALS } from '../stream.js';
import type { Topics, TopicsTabs } from '../topics/contract.js';
import type { State } from '../types.js';
import { type Group, joinGroup } from './group.js';
import type { Said } from './messages.js';
import { type Happening, type Role, roleAfter } from './role.js';

/** The page that is a tab here: its stream, and what it has shown. */
export interface Host {
  /** Id of the last frame, from which a stream begins. */
  lastId: string;
  readonly seen: Seen;
  /** The part that knows topics, where it is loaded. */
  readonly topics: Topics | undefined;
  /** Calls that part, which is loaded first where it must be. */
  withTopics(call: (topics: Topics) => void): void;
  /** Whether the leader's stream was asked for all that this page wants. */
  covered(): boolean;
  /** Begins a stream at `lastId`, in place of one that stands. */
  open(): void;
  close(): void;
  /** Looks whether the stream still lives. */
  look(silence?: number): void;
  /** Shows a frame that the leader has passed on. */
  show(text: string, id: string, repeat: boolean): void;
  /** The page's stream, or the leader's, does this now. */
  state(state: State): void;
}

/** Milliseconds for which a tab keeps its own stream beside the leader's, so that instances of different delay leave no gap. */
const OVERLAP = 3000;

/** Seconds in which a leader answers, before another tab takes over. */
const ANSWER = 3;

export interface Tabs extends TopicsTabs {
  /** The server says it when the stream stands, and, where that begins with a resume, once more at the resume's end. */
  connected(key: string, resuming: boolean, heartbeat: number): void;
  /** A frame of the tab's own stream. `own`: no other tab needs it. */
  frame(text: string, id: string, event: number, repeat: boolean, own: boolean): void;
  /** A heartbeat of the tab's own stream. */
  alive(): void;
  /** What the tab's own stream is doing. */
  changed(state: State): void;
  /** The page is shown, or the network has changed. */
  look(silence?: number): void;
  /** Called every second. */
  tick(): void;
  /** `closed`: by the app, as on a logout. */
  leave(closed?: boolean): void;
}

/**
 * The part that a page plays among the tabs of its endpoint: role.ts has what it may be.
 *
 * @param name - what tabs must have in common beside the server's key; undefined: this one does not share
 */
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

  const become = (happening: Happening) => {
    role = roleAfter(role, happening);
  };

  const post = (...said: Said) => group?.post(term, ...said);

  const greet = () => {
    post('welcome', host.lastId, host.seen.all(), host.topics?.all() ?? []);
    host.topics?.greet();
  };

  const stopOverlap = () => {
    clearTimeout(overlap);
    overlap = undefined;
  };

  const startOverlap = () => {
    if (overlap || role === 'following' || !welcome || !verified || !level || !host.covered()) return;
    ahead.clear();
    overlap = setTimeout(welcomed, OVERLAP);
  };

  const welcomed = () => {
    overlap = undefined;
    if (ahead.size || !host.covered()) return startOverlap();
    become('welcomed');
    asked = 0;
    heard = Date.now();
    host.close();
    for (const event of welcome!.seen) host.seen.add(event);
    host.lastId = welcome!.lastId;
    host.state({ state: 'open' });
    host.topics?.follows();
  };

  const elected = () => {
    turn = role === 'electing' && !level;
    if (turn) return;
    stopOverlap();
    const takesOver = welcome ?? role === 'following';
    become('elected');
    term = Math.max(term + 1, Date.now());
    post('alive', '');
    host.topics?.leads();
    if (takesOver) {
      // From where the last leader was, even when this tab's own stream is further: other tabs may not have it all.
      host.lastId = welcome?.lastId || host.lastId;
      host.open();
    } else if (verified) greet();
  };

  const deposed = () => {
    if (role !== 'leading') return;
    become('deposed');
    forgetLeader();
    post('hello');
  };

  const forgetLeader = () => {
    welcome = undefined;
    host.topics?.forgetsLeader();
  };

  const ask = () => {
    asked ||= 1;
    post('ask');
  };

  const hear = (said: Said, sender: number) => {
    const [what] = said;
    if (what === 'want') return host.withTopics((topics) => topics.hear(said));
    if (what === 'hello') {
      if (role === 'leading' && verified) greet();
    } else if (what === 'ask') {
      if (role !== 'leading') return;
      post('alive', '');
      host.look();
    } else if (what === 'bye') {
      if (role === 'leading' || role === 'electing') host.open();
    } else if (sender >= term) {
      // A leader that was suspended passes on what it has before it notices that another leads: that is of an earlier term.
      if (sender > term) host.topics?.tell();
      term = sender;
      if (role === 'leading') deposed();
      heardFromLeader(said);
    }
  };

  const heardFromLeader = (said: Said) => {
    heard = Date.now();
    asked = 0;
    if (said[0] === 'welcome') {
      const [, lastId, seen, wants] = said;
      welcome = { lastId, seen };
      if (wants.some(([, ofTab]) => ofTab.length)) host.withTopics((topics) => topics.learn(wants));
      if (role === 'following') host.state({ state: 'open' });
      else startOverlap();
    } else if (said[0] === 'grant') {
      host.withTopics((topics) => topics.hear(said));
    } else if (said[0] === 'state') {
      stopOverlap();
      if (role === 'following') host.state(said[1]);
    } else if (said[0] === 'alive' && welcome) {
      moveTo(said[1]);
    } else if (said[0] === 'frame' && welcome) {
      const [, text, id, repeat] = said;
      const event = Number(id.split('-')[0]) || 0;
      ahead.delete(event);
      moveTo(id);
      // Beside a stream of its own, only what is known by its number is taken from both.
      if (role !== 'following' && (repeat || !event)) return;
      host.show(text, id, event > 0 && !host.seen.add(event));
    }
  };

  /** The leader has passed on everything up to this id. */
  const moveTo = (id: string) => {
    welcome!.lastId = id || welcome!.lastId;
    if (role === 'following') host.lastId = welcome!.lastId;
  };

  const leave = (closed = false) => {
    host.topics?.leaves();
    if (closed) post('bye');
    stopOverlap();
    group?.leave();
    become('left');
    group = welcome = undefined;
    verified = level = turn = false;
    term = asked = 0;
  };

  return {
    get role() {
      return role;
    },
    get group() {
      return group;
    },
    get verified() {
      return verified;
    },
    post,
    covered: startOverlap,
    catchUp() {
      const was = role;
      become('behind');
      level = false;
      stopOverlap();
      if (was === 'following') host.open();
      if (was !== 'leading') return;
      forgetLeader();
      group?.giveWay();
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
        host.topics?.tell();
        if (group) become('met');
      }
      if (turn && level) elected();
      else if (role === 'leading') greet();
      else post('hello');
    },
    frame(text, id, event, repeat, own) {
      if (event && !repeat && overlap) ahead.add(event);
      if (role !== 'leading' || !verified) return;
      if (own) post('alive', id);
      else post('frame', text, id, repeat);
    },
    alive() {
      if (role === 'leading' && verified) post('alive', host.lastId);
    },
    changed(state) {
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
