import type { Detail } from '../../event/event.js';
import { safely } from '../page.js';
import type { DjrEvent, Room } from '../types.js';
import { startOf } from './asking.js';
import type { Member } from './contract.js';
import { changeOf, visible } from './presence.js';
import type { Grant, Present, Want } from './words.js';

/** What the rooms of a page call on its connection. */
export interface RoomsHost {
  /** The stream must be asked for this topic again, even if it was asked for it before. */
  again(topic: string): void;
  /** {@link Rooms.wants} has changed. */
  changed(): void;
  fire(type: string, detail: Detail): void;
}

export interface Rooms {
  join(member: Member): void;
  wants(): Want[];
  hears(topic: string): boolean;
  /** An event of a topic came. @param fresh - this page has not shown it before */
  event(event: DjrEvent, fresh: boolean): void;
  granted(grant: Grant): void;
  /** The server no longer sends events of this topic. */
  left(topic: string, reason: string): void;
  presence(topic: string, now: Present | undefined): void;
  /** Called every second: asks for new seals some time before the old ones end. */
  tick(): void;
  close(): void;
}

/**
 * A member, and, until it has got everything that it missed, the events that it has got so far. Another room of the same topic may have
 * got an event before it, so the page's own list of fired events does not tell.
 */
type Joined = Member & { had?: Set<number> | undefined };

interface Entry {
  readonly members: Set<Joined>;
  seal: string;
  since: string;
  heard: boolean;
  /** Its callback was asked for a seal and has not answered. */
  asking: boolean;
  /** It has no seal to show yet, so the server is not asked for the topic. */
  waiting: boolean;
  /** The server has not seen this seal yet: if it refuses it, no new seal is asked for. */
  fresh: boolean;
  renewAt: number;
  failures: number;
  present: Present | undefined;
}

/** The part of a seal's validity after which the next seal is asked for. */
const RENEW = 0.8;
/** Milliseconds before a callback that failed is called again, doubled each time up to the longest. */
const FIRST_RETRY = 2000;
const LONGEST_RETRY = 60_000;

const createEntry = (waiting: boolean): Entry => ({
  members: new Set(),
  seal: '',
  since: '',
  heard: false,
  asking: false,
  waiting,
  fresh: false,
  renewAt: Number.POSITIVE_INFINITY,
  failures: 0,
  present: undefined,
});

const enter = ({ room, tell }: Joined, state: Room['state'], presence?: Present) => {
  const changed = room.state !== state;
  room.state = state;
  room.presence = presence && visible(presence);
  if (changed) tell('state', state);
};

const setState = ({ members }: Entry, state: Room['state'], presence?: Present) => {
  for (const member of members) enter(member, state, presence);
};

/** The topics that a page has joined on one connection. */
export function createRooms({ again, changed, fire }: RoomsHost): Rooms {
  const entries = new Map<string, Entry>();

  /** Asks a callback for a seal. @returns false if no member has a callback */
  const renew = (topic: string, entry: Entry): boolean => {
    const source = [...entry.members].map(({ options }) => options.seal).find((seal) => typeof seal === 'function');
    if (!source) return false;
    if (entry.asking) return true;
    entry.asking = true;
    entry.renewAt = Number.POSITIVE_INFINITY;
    // Called inside a promise, so that a callback that throws is handled like one that rejects.
    new Promise<string>((resolve) => resolve(source())).then(
      (seal) => {
        if (entries.get(topic) !== entry) return;
        entry.seal = `${seal ?? ''}`;
        entry.failures = 0;
        entry.fresh = true;
        entry.asking = entry.waiting = false;
        changed();
      },
      (error) => {
        safely(() => {
          throw error;
        });
        setTimeout(
          () => {
            entry.asking = false;
            if (entries.get(topic) === entry) renew(topic, entry);
          },
          Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** entry.failures++),
        );
      },
    );
    return true;
  };

  /** Ends all rooms of a topic: the server does not allow it, and no new seal can be had. */
  const end = (type: 'left' | 'refused', topic: string, reason: string) => {
    const entry = entries.get(topic)!;
    entries.delete(topic);
    setState(entry, 'left');
    fire(type, { type, topic, reason });
    for (const { options } of entry.members) safely(options.onLeft, reason);
    changed();
  };

  /** The permission is lost. A new seal is asked for once, and may bring it back. */
  const lose = (type: 'left' | 'refused', topic: string, entry: Entry, reason: string) => {
    entry.heard = false;
    setState(entry, 'joining', entry.present);
    if (entry.waiting) return;
    if (entry.fresh && type === 'left') changed();
    else if (entry.fresh || !renew(topic, entry)) end(type, topic, reason);
    else entry.waiting = true;
  };

  const rooms: Rooms = {
    join(joined) {
      const member: Joined = joined;
      const { topic, options } = member;
      let entry = entries.get(topic);
      const waiting = !entry && typeof options.seal === 'function';
      entry ??= createEntry(waiting);
      const mine = entry;
      entries.set(topic, mine);
      mine.members.add(member);
      enter(member, mine.heard ? 'joined' : 'joining', mine.present);
      member.left = () => {
        if (!mine.members.delete(member) || mine.members.size || entries.get(topic) !== mine) return;
        entries.delete(topic);
        changed();
      };
      if (typeof options.seal === 'string') mine.seal = options.seal;
      if (options.since) {
        member.had = new Set();
        mine.since = mine.since ? earlier(mine.since, options.since) : options.since;
        // The stream may already have brought some of the events that this room missed.
        again(topic);
      }
      if (waiting) renew(topic, mine);
      else changed();
    },
    wants: () =>
      [...entries]
        .filter(([, { waiting }]) => !waiting)
        .map(([topic, { seal, since }]) => [topic, seal, since] satisfies Want),
    hears: (topic) => entries.has(topic),
    event(event, fresh) {
      const { detail, id } = event;
      for (const member of [...(entries.get(`${detail[':topic']}`)?.members ?? [])]) {
        const first = member.had ? !member.had.has(id!) : fresh;
        member.had?.add(id!);
        if (first) member.tell(detail.type, detail, event);
      }
    },
    granted({ asked, topics, refused, present, level }) {
      for (const [topic, entry] of [...entries]) {
        const shown = asked.get(topic) ?? [];
        const ends = topics.get(topic);
        if (ends === undefined) {
          // The refusal counts only for the seal that was shown: the page may have a newer one by now.
          if (refused.has(topic) && shown.includes(entry.seal)) lose('refused', topic, entry, refused.get(topic)!);
          continue;
        }
        entry.heard = true;
        entry.waiting = false;
        setState(entry, 'joined', entry.present);
        if (shown.includes(entry.seal)) entry.fresh = false;
        if (!entry.asking) entry.renewAt = Date.now() + (ends - Date.now()) * RENEW;
        if (level && entry.since && shown.includes(startOf(entry.since))) {
          entry.since = '';
          for (const member of entry.members) member.had = undefined;
        }
        rooms.presence(topic, present.get(topic));
      }
    },
    left(topic, reason) {
      const entry = entries.get(topic);
      if (entry) lose('left', topic, entry, reason);
    },
    presence(topic, now) {
      const entry = entries.get(topic);
      if (!entry || !now) return;
      const before = entry.present;
      entry.present = now;
      for (const { room } of entry.members) room.presence = visible(now);
      const change = changeOf(before, now);
      if (!change) return;
      fire('presence', { type: 'presence', topic, ...change });
      for (const { tell } of entry.members) tell('presence', change);
    },
    tick() {
      for (const [topic, entry] of entries) {
        if (entry.renewAt <= Date.now() && !renew(topic, entry)) entry.renewAt = Number.POSITIVE_INFINITY;
      }
    },
    close() {
      for (const entry of entries.values()) setState(entry, 'left');
      entries.clear();
    },
  };
  return rooms;
}

/** A snapshot that sees no event which one of the two does not see: from it on, everything comes that is new to either. */
function earlier(one: string, other: string): string {
  if (one === other) return one;
  const first = Math.min(Number.parseInt(one, 10), Number.parseInt(other, 10));
  return `${first}:${first}:`;
}
