/**
 * How many events are remembered, some 500 kB at most: a resume that is cut off begins again where it began, so that up to
 * 10,000 events (`resumeLimit`) and what came live meanwhile are repeated.
 */
const CAPACITY = 16_384;

/** The numbers of the latest events, so that a repeat is known. */
export interface Seen {
  /** @returns false when it was there. */
  add(event: number): boolean;
  has(event: number): boolean;
  all(): number[];
  /** After a restore numbers may come again, for other events. */
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
