import type { Said } from '../tabs/messages.js';
import { startIn } from './asking.js';
import type { TopicsTabs } from './contract.js';
import type { Rooms } from './rooms.js';
import { unionOf } from './union.js';
import type { Asked, Grant, Want } from './words.js';

/** What tabs that share a stream tell one another of topics. */
export interface Sharing {
  /** What this tab's own stream was granted. */
  readonly own: Grant | undefined;
  /** What the stream that this page hears was granted: its own, or the leader's. */
  heard(): Grant | undefined;
  /** What this tab's own stream is to be asked for: where it leads, for all tabs. */
  union(): Asked;
  /** Whether only this page needs a topic's events: it catches up, and no other tab wants the topic. */
  isOwn(topic: string): boolean;
  /** This page wants other topics. */
  wantsElse(): void;
  granted(grant: Grant): void;
  /** The stream has come to a further place. */
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

/** @param change - the stream may have to be asked for other topics */
export function createSharing(tabs: TopicsTabs, rooms: Rooms, change: () => void): Sharing {
  const me = `${Math.random()}`;
  /** What other tabs want; who spoke last is last. All tabs remember it: any may lead next. */
  const others = new Map<string, Want[]>();
  /** Tabs that are missed when they are gone. */
  const watched = new Set<string>();
  /** Whether the others would notice that this tab is gone: before that it wants nothing of them. Undefined: it has not tried. */
  let noticed: boolean | undefined;
  let own: Grant | undefined;
  /** What the leader's stream hears. */
  let leaders: Grant | undefined;

  /** Where topics begin until the stream has a place behind that: a stream that is cut off before asks for it again. */
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
      // A leader passes everything on: other tabs would get what their state has already.
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
      // Its stream goes on where the last leader's was, with the beginnings of that.
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
