import type { Seen } from '../seen.js';
import { SILENT_INTERVALS } from '../stream.js';
import type { Topics, TopicsTabs } from '../topics/contract.js';
import type { State } from '../types.js';
import { type Group, joinGroup } from './group.js';
import type { Said } from './messages.js';
import { type Happening, type Role, roleAfter } from './role.js';

/** The page of this tab: its stream, and what it has shown. */
export interface Host {
  /** Id of the last frame: the next stream begins after it. */
  lastId: string;
  readonly seen: Seen;
  /** The part of the client that knows topics, if it is loaded. */
  readonly topics: Topics | undefined;
  /** Calls that part, and loads it first if necessary. */
  withTopics(call: (topics: Topics) => void): void;
  /** Whether the leader's stream was asked for all that this page wants. */
  covered(): boolean;
  /** Opens a stream that begins after `lastId`, and closes the one that there is. */
  open(): void;
  close(): void;
  /** Checks whether the stream still lives. */
  look(silence?: number): void;
  /** Shows a frame that the leader has passed on. */
  show(text: string, id: string, repeat: boolean): void;
  /** Sets the state of the page's stream, or of the leader's. */
  state(state: State): void;
}

/** Milliseconds for which a tab keeps its own stream beside the leader's: the two may be on instances with different delays, and no event may fall between them. */
const OVERLAP = 3000;

/** Seconds within which a leader must answer, before another tab takes over. */
const ANSWER = 3;

export interface Tabs extends TopicsTabs {
  /** A `connected` frame came. The server sends one when the stream begins, and a second one when a resume has ended. */
  connected(key: string, resuming: boolean, heartbeat: number): void;
  /** A frame of the tab's own stream came. @param own - no other tab needs it */
  frame(text: string, id: string, event: number, repeat: boolean, own: boolean): void;
  /** A heartbeat of the tab's own stream came. */
  alive(): void;
  /** The state of the tab's own stream has changed. */
  changed(state: State): void;
  /** The page is shown, or the network has changed. */
  look(silence?: number): void;
  /** Called every second. */
  tick(): void;
  /** Leaves the group. @param closed - the app closed the connection, as on a logout */
  leave(closed?: boolean): void;
}

/**
 * Lets tabs of one endpoint and user share a stream: one of them leads and passes frames on, the others follow. role.ts lists the
 * roles and what changes them.
 *
 * @param name - what tabs must have in common beside the server's key; undefined: this tab does not share
 */
export function createTabs(host: Host, name: string | undefined): Tabs {
  let role: Role = 'alone';
  let group: Group | undefined;
  let key: string | undefined;
  /** Whether the server has told the key since the stream was opened: after a cut it may be another user's. */
  let verified = false;
  /** Whether this tab has got everything that its page missed. Before that it neither leads nor follows, but catches up by itself. */
  let level = false;
  /** Whether this tab got the lock before it was level: it leads once it is. */
  let turn = false;
  let welcome: { lastId: string; seen: number[] } | undefined;
  let overlap: ReturnType<typeof setTimeout> | undefined;
  /** Events that this tab's own stream brought during the overlap and the leader has not passed on: the leader is still behind. */
  const ahead = new Set<number>();
  /** The term of the current leader: messages of an earlier leader are ignored. */
  let term = 0;
  let heartbeat = 0;
  /** When the leader was heard last. */
  let heard = 0;
  /** For how many seconds an answer of the leader has been awaited; 0: none is awaited. */
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
      // The stream begins where the last leader was, even if this tab's own stream is further: other tabs may not have got all of that.
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
      // A leader that was suspended passes frames on until it notices that another tab leads. They have an earlier term and are ignored.
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
      // A tab with a stream of its own takes from the leader only events, which it knows by their numbers, and no other frames.
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
      // A leader resumes for all tabs that follow it, so it stays the leader meanwhile.
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
        // Counted in ticks and not by the clock: a tab that was itself suspended could not hear an answer meanwhile.
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
