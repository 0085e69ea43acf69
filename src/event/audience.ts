import type { Scope } from './event.js';

/**
 * Whom an event is for, as one key: `*` everybody, `u:42` a user, `t:room:7` a topic. Only this module makes keys and takes
 * them apart; everything else compares them. A further kind of audience is one more case here, and one in
 * `djr._fits`.
 */
export type Audience = string;

/** Every client, anonymous ones too. */
export const EVERYBODY: Audience = '*';

export const userAudience = (userId: string): Audience => `u:${userId}`;

export const topicAudience = (topic: string): Audience => `t:${topic}`;

/** Characters that `djr.event_topic` holds, and those that it does not: the very rule of `djr._validate_topic`. */
const MAX_TOPIC = 255;
const NOT_IN_TOPICS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a topic has none.
  /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]|\p{Surrogate}/u;

/** Whether an event can have this very topic. What cannot be one must not reach a statement: NUL fails all of it. */
export const isTopic = (topic: string): boolean =>
  topic !== '' && topic.length <= 2 * MAX_TOPIC && !NOT_IN_TOPICS.test(topic) && [...topic].length <= MAX_TOPIC;

/** The topic of a key; undefined: it is another kind of audience. */
export const topicOf = (audience: Audience): string | undefined =>
  audience.startsWith('t:') ? audience.slice(2) : undefined;

/** Who gets an event of this scope; undefined: no client does. */
export function audienceOf(scope: Scope, userId: string | null, topic: string | null): Audience | undefined {
  if (scope === 'public') return EVERYBODY;
  if (scope === 'user') return userId === null ? undefined : userAudience(userId);
  if (scope === 'topic') return topic === null ? undefined : topicAudience(topic);
  return undefined;
}

/** What a client with these keys is entitled to, as columns of `djr.event` say it: for a statement that reads storage. */
export interface Entitlement {
  readonly everybody: boolean;
  readonly users: readonly string[];
  readonly topics: readonly string[];
}

export function entitlementOf(audiences: Iterable<Audience>): Entitlement {
  const users: string[] = [];
  const topics: string[] = [];
  let everybody = false;
  for (const audience of audiences) {
    if (audience === EVERYBODY) everybody = true;
    else if (audience.startsWith('u:')) users.push(audience.slice(2));
    else topics.push(audience.slice(2));
  }
  return { everybody, users, topics };
}
