import type { Detail, EventMap } from '../event/event.js';
import { safely } from './page.js';
import type { JoinOptions, Presence, Room } from './types.js';

/** A topic that a page wants to hear, its seal ('': it asks by name), and where its state was read, until that is caught up. */
export type Want = readonly [topic: string, seal: string, since: string];

/** Who hears a topic, as far as it was told. */
export type Present = Pick<Presence, 'users' | 'count'>;

/** What a stream was asked for: each topic with its seals, and, as `since=…`, its beginning. */
export type Asked = Map<string, readonly string[]>;

/** What the server answered to a stream. The leading tab passes it on. */
export interface Grant {
  readonly asked: Asked;
  /** Topics that it hears, and when that ends, milliseconds since 1970 by the page's clock. */
  readonly topics: Map<string, number>;
  /** With why not. */
  readonly refused: ReadonlyMap<string, string>;
  readonly present: Map<string, Present>;
  /** Whether all that was missed has come. */
  readonly level: boolean;
}

/** What shows a topic's beginning in {@link Asked}. */
export const startOf = (since: string) => `since=${since}`;

/** What the topics of a page need of its connection. */
export interface RoomsHost {
  /** The topic is to be asked for anew, whatever the stream has been asked for. */
  again(topic: string): void;
  /** What {@link Rooms.wants} says is different now. */
  changed(): void;
  fire(type: string, detail: Detail): void;
}

export interface Rooms {
  host: RoomsHost | undefined;
  join(topic: string, options?: JoinOptions): Room;
  wants(): Want[];
  hears(topic: string): boolean;
  /** An event of a topic. `fresh`: this page has not shown it yet. */
  event(data: Detail, id: number, fresh: boolean): void;
  granted(grant: Grant): void;
  /** The stream goes on without a topic. */
  left(topic: string, reason: string): void;
  presence(topic: string, now: Present | undefined): void;
  /** Called every second: asks for new seals some time before the old ones end. */
  tick(): void;
  /** The page has closed its connection. */
  close(): void;
}

interface Member {
  readonly room: Room;
  readonly options: JoinOptions;
  /** Events that it has had, until all that it missed has come: another room of the topic may have had them before it. */
  had: Set<number> | undefined;
  tell(type: string, value: unknown): void;
}

interface Entry {
  readonly members: Set<Member>;
  seal: string;
  since: string;
  heard: boolean;
  /** Its callback has been asked for a seal and has not answered; before the first answer there is nothing to ask for. */
  asking: boolean;
  waiting: boolean;
  /** The seal is new: a refusal of it is final. */
  fresh: boolean;
  renewAt: number;
  failures: number;
  present: Present | undefined;
}

/** Of the time for which a seal holds, what passes before the next one is asked for. */
const RENEW = 0.8;
/** Milliseconds after which a callback that failed is asked again, doubled each time. */
const FIRST_RETRY = 2000;
const LONGEST_RETRY = 60_000;

/** The topics that a page has joined on one connection. */
export function createRooms(): Rooms {
  const entries = new Map<string, Entry>();
  const changed = () => rooms.host?.changed();

  /** Asks a callback for a seal. @returns false where there is none to ask */
  const renew = (topic: string, entry: Entry): boolean => {
    const source = [...entry.members].map(({ options }) => options.seal).find((seal) => typeof seal === 'function');
    if (!source) return false;
    if (entry.asking) return true;
    entry.asking = true;
    entry.renewAt = Number.POSITIVE_INFINITY;
    // One that throws fails like one that rejects.
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

  /** There is no more to be had of this topic. */
  const end = (type: 'left' | 'refused', topic: string, reason: string) => {
    const { members } = entries.get(topic)!;
    entries.delete(topic);
    rooms.host?.fire(type, { type, topic, reason });
    for (const { options } of members) safely(options.onLeft, reason);
    changed();
  };

  /** The permission is gone: a new seal, asked for once, may bring it back. */
  const lose = (type: 'left' | 'refused', topic: string, entry: Entry, reason: string) => {
    entry.heard = false;
    if (entry.waiting) return;
    if (entry.fresh && type === 'left') changed();
    else if (entry.fresh || !renew(topic, entry)) end(type, topic, reason);
    else entry.waiting = true;
  };

  const rooms: Rooms = {
    host: undefined,
    join(topic, options = {}) {
      const listeners = new Set<readonly [type: string, call: (value: never) => void]>();
      let entry = entries.get(topic);
      const waiting = !entry && typeof options.seal === 'function';
      entry ??= {
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
      };
      const mine = entry;
      entries.set(topic, entry);
      const inside = () => mine.members.has(member) && entries.get(topic) === mine;
      const room: Room<EventMap> = {
        topic,
        get state() {
          return inside() ? (mine.heard ? 'joined' : 'joining') : 'left';
        },
        get presence() {
          return inside() ? mine.present : undefined;
        },
        on(type: string, call: (value: never) => void) {
          const listener = [type, call] as const;
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        leave() {
          if (!inside()) return;
          mine.members.delete(member);
          if (mine.members.size) return;
          entries.delete(topic);
          changed();
        },
      };
      const member: Member = {
        room,
        options,
        had: options.since ? new Set() : undefined,
        tell(type, value) {
          for (const [name, call] of [...listeners]) if (name === type) safely(call as (value: unknown) => void, value);
        },
      };
      entry.members.add(member);
      if (typeof options.seal === 'string') entry.seal = options.seal;
      if (options.since) {
        entry.since = entry.since ? earlier(entry.since, options.since) : options.since;
        // A part of what is new to this room may have come already.
        rooms.host?.again(topic);
      }
      if (waiting) renew(topic, entry);
      else changed();
      return room as Room;
    },
    wants: () =>
      [...entries]
        .filter(([, { waiting }]) => !waiting)
        .map(([topic, { seal, since }]) => [topic, seal, since] satisfies Want),
    hears: (topic) => entries.has(topic),
    event(data, id, fresh) {
      for (const member of [...(entries.get(`${data[':topic']}`)?.members ?? [])]) {
        const first = member.had ? !member.had.has(id) : fresh;
        member.had?.add(id);
        if (first) member.tell(`${data.type}`, data);
      }
    },
    granted({ asked, topics, refused, present, level }) {
      for (const [topic, entry] of [...entries]) {
        const shown = asked.get(topic) ?? [];
        const ends = topics.get(topic);
        if (ends === undefined) {
          // What is refused may be an older seal than this page has by now.
          if (refused.has(topic) && shown.includes(entry.seal)) lose('refused', topic, entry, refused.get(topic)!);
          continue;
        }
        entry.heard = true;
        entry.waiting = false;
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
      const { users, count } = now;
      const joined = users?.filter((user) => !before?.users?.includes(user)) ?? [];
      const left = before?.users?.filter((user) => !users?.includes(user)) ?? [];
      if (before && before.count === count && !joined.length && !left.length) return;
      const presence = { users, count, joined, left };
      rooms.host?.fire('presence', { type: 'presence', topic, ...presence });
      for (const { tell } of entry.members) tell('presence', presence);
    },
    tick() {
      for (const [topic, entry] of entries) {
        if (entry.renewAt <= Date.now() && !renew(topic, entry)) entry.renewAt = Number.POSITIVE_INFINITY;
      }
    },
    close() {
      entries.clear();
    },
  };
  return rooms;
}

/** A snapshot from which all comes that is new to either of two. */
function earlier(one: string, other: string): string {
  if (one === other) return one;
  const first = Math.min(Number.parseInt(one, 10), Number.parseInt(other, 10));
  return `${first}:${first}:`;
}

/** What is known of a topic's presence after a frame about it. */
export function presenceAfter(before: Present | undefined, { users, joined, left, count }: Detail): Present {
  const number = Number(count) || 0;
  if (Array.isArray(users)) return { users, count: number };
  const known = before?.users;
  // Too many are not named: who they are is not known until a whole list comes.
  if (!known || !Array.isArray(joined) || !Array.isArray(left)) return { users: undefined, count: number };
  return {
    users: [...known.filter((user) => !left.includes(user) && !joined.includes(user)), ...joined],
    count: number,
  };
}
