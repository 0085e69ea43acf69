import { createRealtime, type Publication } from '../../src/index.js';

// Compiled and never run: each line below `@ts-expect-error` must not compile, and each other one must.
declare const session: { user?: { id: string; number: number | null } };
declare const maybe: string | undefined;
declare const anything: string | number | bigint;
type Events = { paid: { total: string } };
const realtime = createRealtime<Events>();

export const right: Promise<number>[] = [
  realtime.publish({ userId: 42, type: 'paid', detail: { total: '1' } }),
  realtime.publish({ userId: anything, type: 'paid' }),
  realtime.publish({ scope: 'user', userId: 42n, type: 'paid' }),
  realtime.publish({ scope: 'public', type: 'paid' }),
  realtime.publish({ scope: 'system', type: 'paid' }),
  realtime.publish({ scope: 'system', userId: 'ada', type: 'paid' }),
  realtime.publish({ userId: 42, type: 'paid', store: true }),
];

declare const store: boolean;
export const unstored: Promise<number | null>[] = [
  realtime.publish({ userId: 42, type: 'paid', store: false }),
  realtime.publish({ scope: 'public', type: 'paid', store }),
  realtime.publish({ topic: 'room:7', type: 'paid', detail: { total: '1' }, store: false }),
];

export const wrong: unknown[] = [
  // @ts-expect-error: without a row there may be no id
  realtime.publish({ userId: 42, type: 'paid', store: false }).then((id) => id.toFixed()),
  // @ts-expect-error: neither true nor false
  realtime.publish({ userId: 42, type: 'paid', store: 'no' }),
  // @ts-expect-error: the user may be undefined
  realtime.publish({ userId: session.user?.id, type: 'paid' }),
  // @ts-expect-error: the user may be null
  realtime.publish({ userId: session.user!.number, type: 'paid' }),
  // @ts-expect-error: the user is undefined
  realtime.publish({ userId: undefined, type: 'paid' }),
  // @ts-expect-error: the user is null
  realtime.publish({ userId: null, type: 'paid' }),
  // @ts-expect-error: neither user nor scope
  realtime.publish({ type: 'paid' }),
  // @ts-expect-error: scope user without a user
  realtime.publish({ scope: 'user', type: 'paid' }),
  // @ts-expect-error: scope user, and the user may be undefined
  realtime.publish({ scope: 'user', userId: maybe, type: 'paid' }),
  // @ts-expect-error: scope public with a user
  realtime.publish({ scope: 'public', userId: 'ada', type: 'paid' }),
  // @ts-expect-error: scope public with a user that may be undefined
  realtime.publish({ scope: 'public', userId: maybe, type: 'paid' }),
  // @ts-expect-error: about a user who is null
  realtime.publish({ scope: 'system', userId: session.user!.number, type: 'paid' }),
  // @ts-expect-error: no such scope
  realtime.publish({ scope: 'everyone', type: 'paid' }),
  // @ts-expect-error: a boolean is no user
  realtime.publish({ userId: true, type: 'paid' }),
  // @ts-expect-error: an object is no user
  realtime.publish({ userId: session, type: 'paid' }),
  // @ts-expect-error: no such type
  realtime.publish({ userId: 1, type: 'payed' }),
  // @ts-expect-error: the detail of another type
  realtime.publish({ userId: 1, type: 'paid', detail: { total: 1 } }),
];

// @ts-expect-error: what was built before it is published is held to the same
export const built: Publication = { type: 'paid', userId: maybe };
