import type { Djr } from '../../src/browser/types.js';

// Compiled and never run: each line below `@ts-expect-error` must not compile, and each other one must.
declare const djr: Djr<{ message: { text: string } }>;

const room = djr.join('room:7', { seal: async () => 'seal', since: '1:1:', onLeft: (reason: string) => reason });
export const right: (() => void)[] = [
  room.on('message', ({ text, type }) => [text.length, type satisfies 'message']),
  room.on('presence', ({ users, count, joined, left }) => [users?.length, count, joined.length, left.length]),
];

export const wrong: unknown[] = [
  // @ts-expect-error: no event of this map
  room.on('massage', () => {}),
  // @ts-expect-error: a seal is a text, or a function that gets one
  djr.join('room:7', { seal: 7 }),
];
