/**
 * How many events are remembered; they take some 500 kB at most. A resume that is cut off begins again at its beginning, so it may
 * repeat up to 10,000 events (`resumeLimit`), and those that came live meanwhile.
 */
const CAPACITY = 16_384;

/** The numbers of the latest events, by which a repeated event is recognized. */
export interface Seen {
  /** @returns false if the event was remembered already */
  add(event: number): boolean;
  has(event: number): boolean;
  all(): number[];
  /** Forgets all: after a restore of the database the same numbers may belong to other events. */
  clear(): void;
}

export function createSeen(): Seen {
  const events = new Set<number>();
  return {
    add(event) {
      if (events.has(event)) return false;
      events.add(event);
      if (events.size > CAPACITY) events.delete(events.values().next().value!);
      return true;
    },
    has: (event) => events.has(event),
    all: () => [...events],
    clear: () => events.clear(),
  };
}
