import { startOf } from './asking.js';
import type { Asked, Want } from './words.js';

/**
 * What the stream of a tab must be asked for.
 *
 * @param others - what the tabs that it leads want, the latest message last
 * @param begun - the place at which a topic began that the stream had before; '': it begins where the stream does; undefined: the
 * stream did not have it
 */
export function unionOf(
  others: Iterable<readonly Want[]>,
  own: readonly Want[],
  begun: (topic: string) => string | undefined,
): Asked {
  const union = new Map<string, string[]>();
  const starts = new Map<string, string>();
  const add = ([topic, seal]: Want) => {
    // All tabs are of one user, so a seal of any of them will do. The previous seal is kept as well, as the newest may be invalid.
    const before = (union.get(topic) ?? []).filter((other) => other && other !== seal).slice(-1);
    union.set(topic, [...before, seal]);
  };
  for (const wants of others) {
    for (const want of wants) {
      const [topic, , since] = want;
      add(want);
      // Each tab catches up with a stream of its own, so from the latest of these places on no tab gets events that its state has.
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

/** The later one of two snapshots; '' is before every other. */
function later(one: string, other: string): string {
  const [from = 0, to = 0] = one.split(':').map(Number);
  const [otherFrom = 0, otherTo = 0] = other.split(':').map(Number);
  return otherTo > to || (otherTo === to && otherFrom > from) ? other : one;
}
