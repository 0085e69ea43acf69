import { createRealtime, type Publication } from '../../src/index.js';

// Compiled and never run: each line below `@ts-expect-error` must not compile, and each other one must.
declare const session: { user?: { id: string; number: number | null } };
declare const maybe: string | undefined;
declare const anything: string | number | bigint;
interface Events {
  paid: { total: string };
  pinged: { at?: number };
  empty: object;
}
const realtime = createRealtime<Events>();

export const right: Promise<number>[] = [
  realtime.publish({ userId: 42, type: 'paid', detail: { total: '1' } }),
  realtime.publish({ userId: anything, type: 'pinged' }),
  realtime.publish({ scope: 'user', userId: 42n, type: 'pinged', detail: { at: 1 } }),
  realtime.publish({ scope: 'public', type: 'pinged' }),
  realtime.publish({ scope: 'system', type: 'empty' }),
  realtime.publish({ scope: 'system', userId: 'ada', type: 'pinged' }),
  realtime.publish({ topic: 'room:7', type: 'paid', detail: { total: '1' }, privateData: 7, key: 'k' }),
  createRealtime().publish({ userId: 1, type: 'anything' }),
  createRealtime().publish({ userId: 1, type: 'anything', detail: { at: 1 } }),
  realtime.publish({ userId: 42, type: 'pinged', store: true }),
];

declare const prisma: { $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T> };
export const inTransactions: Promise<unknown>[] = [
  realtime.publish({ userId: 42, type: 'pinged' }, { client: prisma }),
  realtime.publish(
    { userId: 42, type: 'pinged' },
    { client: { query: async ({ text, values }) => [text, ...values] } },
  ),
  // @ts-expect-error: nothing in it runs a statement
  realtime.publish({ userId: 42, type: 'pinged' }, { client: { execute: () => [] } }),
];

declare const store: boolean;
export const unstored: Promise<number | null>[] = [
  realtime.publish({ userId: 42, type: 'pinged', store: false }),
  realtime.publish({ scope: 'public', type: 'pinged', store }),
  realtime.publish({ topic: 'room:7', type: 'paid', detail: { total: '1' }, store: false }),
];

export const wrong: unknown[] = [
  // @ts-expect-error: without a row there may be no id
  realtime.publish({ userId: 42, type: 'pinged', store: false }).then((id) => id.toFixed()),
  // @ts-expect-error: neither true nor false
  realtime.publish({ userId: 42, type: 'pinged', store: 'no' }),
  // @ts-expect-error: the user may be undefined
  realtime.publish({ userId: session.user?.id, type: 'pinged' }),
  // @ts-expect-error: the user may be null
  realtime.publish({ userId: session.user!.number, type: 'pinged' }),
  // @ts-expect-error: the user is undefined
  realtime.publish({ userId: undefined, type: 'pinged' }),
  // @ts-expect-error: the user is null
  realtime.publish({ userId: null, type: 'pinged' }),
  // @ts-expect-error: neither user nor scope
  realtime.publish({ type: 'pinged' }),
  // @ts-expect-error: scope user without a user
  realtime.publish({ scope: 'user', type: 'pinged' }),
  // @ts-expect-error: scope user, and the user may be undefined
  realtime.publish({ scope: 'user', userId: maybe, type: 'pinged' }),
  // @ts-expect-error: scope public with a user
  realtime.publish({ scope: 'public', userId: 'ada', type: 'pinged' }),
  // @ts-expect-error: scope public with a user that may be undefined
  realtime.publish({ scope: 'public', userId: maybe, type: 'pinged' }),
  // @ts-expect-error: about a user who is null
  realtime.publish({ scope: 'system', userId: session.user!.number, type: 'pinged' }),
  // @ts-expect-error: no such scope
  realtime.publish({ scope: 'everyone', type: 'pinged' }),
  // @ts-expect-error: a boolean is no user
  realtime.publish({ userId: true, type: 'pinged' }),
  // @ts-expect-error: an object is no user
  realtime.publish({ userId: session, type: 'pinged' }),
  // @ts-expect-error: no such type
  realtime.publish({ userId: 1, type: 'payed' }),
  // @ts-expect-error: the detail of another type
  realtime.publish({ userId: 1, type: 'paid', detail: { total: 1 } }),
];

// @ts-expect-error: what was built before it is published is held to the same
export const built: Publication = { type: 'paid', userId: maybe };
// @ts-expect-error: a required detail left out of what is built before
export const incomplete: Publication<'paid', Events['paid']> = { type: 'paid', userId: 1 };
