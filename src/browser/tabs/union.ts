import { type Asked, startOf, type Want } from '../rooms.js';

/**
 * What the stream of a tab is to be asked for.
 *
 * @param others - what the tabs that it leads want; who spoke last is last
 */
export function unionOf(others: Iterable<Want[]>, own: Want[]): Asked {
  const union = new Map<string, string[]>();
  const add = ([topic, seal]: Want) => {
    // A seal of the same user's, whichever tab has it: the one before, too, as the newest may be a bad one.
    const before = (union.get(topic) ?? []).filter((other) => other && other !== seal).slice(-1);
    union.set(topic, [...before, seal]);
  };
  for (const wants of others) wants.forEach(add);
  for (const want of own) {
    const [topic, , since] = want;
    add(want);
    // What another tab wants from before, it catches up with by itself.
    if (since) union.get(topic)!.push(startOf(since));
  }
  return union;
}
