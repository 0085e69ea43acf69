import { startOf } from './asking.js';
import type { Asked, Want } from './words.js';

/**
 * What the stream of a tab is to be asked for.
 *
 * @param others - what the tabs that it leads want; who spoke last is last
 * @param begun - where a topic begins that was heard before: '' from the stream's own place; undefined: it was not heard
 */
export function unionOf(
  others: Iterable<readonly Want[]>,
  own: readonly Want[],
  begun: (topic: string) => string | undefined,
): Asked {
  const union = new Map<string, string[]>();
  const starts = new Map<string, string>();
  const add = ([topic, seal]: Want) => {
    // A seal of the same user's, whichever tab has it: the one before, too, as the newest may be a bad one.
    const before = (union.get(topic) ?? []).filter((other) => other && other !== seal).slice(-1);
    union.set(topic, [...before, seal]);
  };
  for (const wants of others) {
    for (const want of wants) {
      const [topic, , since] = want;
      add(want);
      // Each tab catches up by itself, and the newest of their places tells none of them what its state has.
      starts.set(topic, later(starts.get(topic) ?? '', since));
    }
  }
  for (const [topic, since] of starts) starts.set(topic, begun(topic) ?? since);
  for (const want of own) {
    const [topic, , since] = want;
    add(want);
    starts.set(topic, since || (begun(topic) ?? starts.get(topic) ?? ''));
  }
  for (const [topic, since] of starts) if (since) union.get(topic)!.push(startOf(since));
  return union;
}

/** The later one of two snapshots; '' is before all. */
function later(one: string, other: string): string {
  const [from = 0, to = 0] = one.split(':').map(Number);
  const [otherFrom = 0, otherTo = 0] = other.split(':').map(Number);
  return otherTo > to || (otherTo === to && otherFrom > from) ? other : one;
}
