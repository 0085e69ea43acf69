import type { Said } from '../tabs/messages.js';
import { startIn } from './asking.js';
import type { TopicsTabs } from './contract.js';
import type { Rooms } from './rooms.js';
import { unionOf } from './union.js';
import type { Asked, Grant, Want } from './words.js';

/** What tabs that share a stream tell each other about topics. */
export interface Sharing {
  /** What this tab's own stream was granted. */
  readonly own: Grant | undefined;
  /** What the stream that brings this page its events was granted: the tab's own, or the leader's. */
  heard(): Grant | undefined;
  /** What this tab's own stream must be asked for; if the tab leads, for all tabs. */
  union(): Asked;
  /** Whether only this page needs a topic's events now, because it catches up and no other tab wants the topic. */
  isOwn(topic: string): boolean;
  /** What this page wants has changed. */
  wantsElse(): void;
  granted(grant: Grant): void;
  /** A frame has moved the stream's position. */
  moved(): void;
  hear(said: Said): void;
  all(): [tab: string, wants: Want[]][];
  greet(): void;
  learn(all: [tab: string, wants: Want[]][]): void;
  covered(): boolean;
  tell(): void;
  leads(): void;
  follows(): void;
  forgetsLeader(): void;
  leaves(): void;
}

/** @param change - called when the stream may have to be asked for other topics */
export function createSharing(tabs: TopicsTabs, rooms: Rooms, change: () => void): Sharing {
  const me = `${Math.random()}`;
  /** What other tabs want, the latest message last. Every tab remembers it, because any of them may lead next. */
  const others = new Map<string, Want[]>();
  /** Tabs whose locks this tab watches, to notice when they are gone. */
  const watched = new Set<string>();
  /** Whether this tab holds the lock by which the others notice when it is gone; until then it sends no wants. Undefined: it has not tried. */
  let noticed: boolean | undefined;
  let own: Grant | undefined;
  /** What the leader's stream was granted. */
  let leaders: Grant | undefined;

  /** The places at which topics begin, until the stream's own position is past them: a stream that is cut off before must ask for them again. */
  const starts = new Map<string, string>();

  const begun = (topic: string) =>
    own?.topics.has(topic)
      ? (starts.get(topic) ?? '')
      : leaders?.topics.has(topic)
        ? startIn(leaders.asked, topic)
        : undefined;

  const forgetOwn = () => {
    own = undefined;
    starts.clear();
  };

  const watch = (tab: string) => {
    if (watched.has(tab)) return;
    watched.add(tab);
    tabs.group?.watch(tab, () => {
      watched.delete(tab);
      if (others.delete(tab) && tabs.role === 'leading') change();
    });
  };

  const wantedElsewhere = (topic: string) =>
    [...others.values()].some((wants) => wants.some(([name]) => name === topic));

  const sharing: Sharing = {
    get own() {
      return own;
    },
    heard: () => (tabs.role === 'following' ? leaders : own),
    union: () => unionOf(tabs.role === 'leading' ? others.values() : [], rooms.wants(), begun),
    isOwn: (topic) => rooms.wants().some(([name, , since]) => name === topic && since) && !wantedElsewhere(topic),
    wantsElse() {
      sharing.tell();
      const { role } = tabs;
      const behind = rooms.wants().filter(([, , since]) => since);
      // A leader passes everything on, so other tabs would get events that their state includes already.
      if (role === 'leading' ? behind.some(([topic]) => wantedElsewhere(topic)) : behind.length > 0) tabs.catchUp();
      if (role !== 'following') change();
      tabs.covered();
    },
    granted(grant) {
      own = grant;
      if (tabs.role === 'leading') leaders = undefined;
      for (const topic of grant.topics.keys()) {
        const since = startIn(grant.asked, topic);
        if (since) starts.set(topic, since);
      }
      rooms.granted(grant);
      sharing.greet();
    },
    moved() {
      if (!own?.level || !starts.size) return;
      for (const [topic, since] of starts) {
        if (startIn(own.asked, topic) === since) own.asked.set(topic, own.asked.get(topic)!.slice(0, -1));
      }
      starts.clear();
      sharing.greet();
    },
    hear(said) {
      if (said[0] === 'want') {
        const [, tab, wants] = said;
        others.delete(tab);
        if (wants.length) others.set(tab, wants);
        if (tabs.role !== 'leading') return;
        if (wants.length) watch(tab);
        if (rooms.wants().some(([topic, , since]) => since && wants.some(([name]) => name === topic))) tabs.catchUp();
        change();
        sharing.greet();
      } else if (said[0] === 'grant') {
        [, leaders] = said;
        if (tabs.role === 'following') rooms.granted(leaders);
        else tabs.covered();
      }
    },
    all: () => [...others, [me, rooms.wants()]],
    greet() {
      if (own && tabs.role === 'leading' && tabs.verified) tabs.post('grant', own);
    },
    learn(all) {
      for (const [tab, wants] of all) if (tab !== me && wants.length) others.set(tab, wants);
    },
    covered: () =>
      rooms
        .wants()
        .every(
          ([topic, seal, since]) => !since && (leaders?.topics.has(topic) || leaders?.asked.get(topic)?.includes(seal)),
        ),
    tell() {
      const wants = rooms.wants();
      if (noticed) tabs.post('want', me, wants);
      else if (tabs.group && wants.length && noticed === undefined) {
        noticed = false;
        tabs.group.appear(me, () => {
          noticed = true;
          sharing.tell();
        });
      }
    },
    leads() {
      for (const tab of others.keys()) watch(tab);
      // Its stream continues that of the last leader, with the places at which topics began there.
      if (leaders) forgetOwn();
    },
    follows() {
      forgetOwn();
      if (leaders) rooms.granted(leaders);
    },
    forgetsLeader() {
      leaders = undefined;
    },
    leaves() {
      if (noticed) tabs.post('want', me, []);
      others.clear();
      watched.clear();
      starts.clear();
      noticed = own = leaders = undefined;
    },
  };
  return sharing;
}
