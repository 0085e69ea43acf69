/** How many events are remembered: more than a resume repeats, and some 100 kB at most. */
const CAPACITY = 4096;

/** The numbers of the latest events, so that a repeat is known. */
export interface Seen {
  /** @returns false when it was there. */
  add(event: number): boolean;
  all(): number[];
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
    all: () => [...events],
  };
}
