import type { Scope } from './event.js';
import { isUserText } from './user-id.js';

/**
 * Whom an event is for, as one key: `*` everybody, `u:42` a user, `t:room:7` a topic. Only this module makes keys and takes
 * them apart; every other module compares them. A new kind of audience is a line in each table here, and a case in `djr._fits`.
 */
export type Audience = string;

/** What an event of a scope says beside its type and detail. */
export interface ScopeRule {
  readonly user: 'required' | 'optional' | 'none';
  readonly topic: 'required' | 'none';
}

export const SCOPES: Readonly<Record<Scope, ScopeRule>> = {
  user: { user: 'required', topic: 'none' },
  public: { user: 'none', topic: 'none' },
  topic: { user: 'none', topic: 'required' },
  system: { user: 'optional', topic: 'none' },
};

export const isScope = (scope: unknown): scope is Scope => typeof scope === 'string' && Object.hasOwn(SCOPES, scope);

/** Whether scope, user and topic go together, as `djr._fits` says it. An order of scope `control` may name a user, as a system event may. */
export function fits(scope: unknown, userId: unknown, topic: unknown): boolean {
  const rule = isScope(scope) ? SCOPES[scope] : scope === 'control' ? SCOPES.system : undefined;
  if (!rule) return false;
  const hasUser = userId === null ? rule.user !== 'required' : rule.user !== 'none' && isUserText(userId);
  const hasTopic =
    topic === null ? rule.topic === 'none' : rule.topic !== 'none' && typeof topic === 'string' && topic !== '';
  return hasUser && hasTopic;
}

/** Scopes whose events are for clients of one name: how the keys begin, and the column of `djr.event` that has the name. */
const NAMED = {
  user: { prefix: 'u:', column: 'user_id', isShared: true },
  topic: { prefix: 't:', column: 'topic', isShared: false },
} as const;

/** Scopes whose events a client can get. */
export const CLIENT_SCOPES: readonly string[] = ['public', ...Object.keys(NAMED)];

/** Every client, anonymous ones too. */
export const EVERYBODY: Audience = '*';

export const userAudience = (userId: string): Audience => `${NAMED.user.prefix}${userId}`;

export const topicAudience = (topic: string): Audience => `${NAMED.topic.prefix}${topic}`;

/** The rule of the domain `djr.event_topic` and of `djr._validate_topic`: how long a topic may be, and which characters it must not have. */
const MAX_TOPIC = 255;
const NOT_IN_TOPICS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a topic has none.
  /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]|\p{Surrogate}/u;

/** Whether an event can have this topic. A text that is no topic must not reach a statement, which fails as a whole because of a NUL, for example. */
export const isTopic = (topic: string): boolean =>
  topic !== '' && topic.length <= 2 * MAX_TOPIC && !NOT_IN_TOPICS.test(topic) && [...topic].length <= MAX_TOPIC;

/** The topic in a key; undefined if the key is for another kind of audience. */
export const topicOf = (audience: Audience): string | undefined =>
  audience.startsWith(NAMED.topic.prefix) ? audience.slice(NAMED.topic.prefix.length) : undefined;

/** The audience of an event; undefined: no client gets it. */
export function audienceOf(scope: Scope, userId: string | null, topic: string | null): Audience | undefined {
  if (scope === 'public') return EVERYBODY;
  if (scope === 'user') return userId === null ? undefined : userAudience(userId);
  if (scope === 'topic') return topic === null ? undefined : topicAudience(topic);
  return undefined;
}

/** Names of one scope, as a statement that reads storage asks for them. */
export interface NamedEntitlement {
  readonly scope: string;
  readonly column: string;
  /** Whether events of other scopes have names in this column as well. */
  readonly isShared: boolean;
  readonly names: readonly string[];
}

/** What a client with these keys is entitled to, in words of `djr.event`. */
export function entitlementOf(audiences: Iterable<Audience>): { everybody: boolean; named: NamedEntitlement[] } {
  const all = [...audiences];
  const named = Object.entries(NAMED).map(([scope, { prefix, column, isShared }]) => {
    const names = all
      .filter((audience) => audience.startsWith(prefix))
      .map((audience) => audience.slice(prefix.length));
    return { scope, column, isShared, names };
  });
  return { everybody: all.includes(EVERYBODY), named: named.filter(({ names }) => names.length > 0) };
}
