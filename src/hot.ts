import type { Realtime } from './realtime-interface.js';

/** The runtime that is used under a key. */
interface Slot {
  current: Realtime;
}

/** Kept on the global object, the only place that a module shares with its next version and with other bundles of the app. */
const SLOTS = Symbol.for('djr.hot');

/**
 * Replaces the runtime that was made under this key before, and stops that one.
 *
 * @returns a handle on whatever runtime has this key. The handles that were returned before lead to the new runtime, too: a module that
 * was not loaded anew goes on working.
 */
export function replace(key: string, runtime: Realtime): Realtime {
  const here = globalThis as { [SLOTS]?: Map<string, Slot> };
  here[SLOTS] ??= new Map();
  const slots = here[SLOTS];
  const slot = slots.get(key) ?? { current: runtime };
  slots.set(key, slot);
  const before = slot.current;
  slot.current = runtime;
  // Stopping logs its errors itself.
  if (before !== runtime) before.stop().catch(() => {});
  return handleOf(slot);
}

function handleOf(slot: Slot): Realtime {
  const methods = new Map<PropertyKey, unknown>();
  const get = (_: object, name: PropertyKey): unknown => {
    const member = slot.current[name as keyof Realtime] as unknown;
    if (typeof member !== 'function') return member;
    // The same function each time, as an app may compare what it has mounted.
    if (!methods.has(name)) {
      methods.set(name, (...all: unknown[]) => (slot.current[name as keyof Realtime] as Method)(...all));
    }
    return methods.get(name);
  };
  return new Proxy({}, { get }) as Realtime;
}

type Method = (...all: unknown[]) => unknown;
