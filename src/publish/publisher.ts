import { isScope, isTopic, SCOPES } from '../event/audience.js';
import type { Detail, Scope } from '../event/event.js';
import { isUserText, toUserId, type UserId } from '../event/user-id.js';
import { DjrError } from '../lib/errors.js';
import { shown } from '../lib/shown.js';
import { run, type SqlClient } from './sql-client.js';

/** What every publication has. */
interface Content<Type extends string, Store extends boolean> {
  /** 1 to 200 characters without white space; some words are reserved (docs/browser.md). */
  type: Type;
  /** Stored with the event, never sent. */
  privateData?: unknown;
  /** A second publish under the same key stores and sends nothing, and returns the first id; `DJR12` if it differs in user, scope or type. */
  key?: string;
  /**
   * False: the event is sent by NOTIFY alone, without a row, to clients that are connected when it commits. No resume brings it, no
   * `privateData` is kept, a `key` is refused (`DJR06`), and while delivery is sweep it may be dropped (docs/delivery.md).
   * @defaultValue true
   */
  store?: Store;
}

/** The detail may be left out if no member of it is required. @defaultValue `{}` */
type WithDetail<D extends object> = Record<never, never> extends D ? { detail?: D } : { detail: D };

/** Who gets the event, with one member for each scope. The user must not be undefined: `session.user?.id` does not compile. */
type Audience =
  /** The clients of this user. */
  | { scope?: 'user'; userId: UserId }
  /** Every client, anonymous ones too. Only this word makes an event public. */
  | { scope: 'public'; userId?: never }
  /** The clients that may hear this topic. */
  | { scope?: 'topic'; topic: string; userId?: never }
  /** Backend subscribers only. The event may be about a user. */
  | { scope: 'system'; userId?: UserId };

/** An event to publish: `{ userId, type, … }` to one user, `{ scope: 'public', type, … }` to every client. */
export type Publication<
  Type extends string = string,
  D extends object = Detail,
  Store extends boolean = true,
> = Content<Type, Store> & WithDetail<D> & Audience;

/** JSON is passed as text, because some libraries would encode a parameter of type jsonb once more. */
const CALLS: Readonly<Record<Scope, string>> = {
  user: 'select djr.publish(type => $1::pg_catalog.text, detail => $2::pg_catalog.text::pg_catalog.jsonb, private_data => $3::pg_catalog.text::pg_catalog.jsonb, key => $4::pg_catalog.text, user_id => $5::pg_catalog.text) as id',
  public:
    'select djr.publish_public(type => $1::pg_catalog.text, detail => $2::pg_catalog.text::pg_catalog.jsonb, private_data => $3::pg_catalog.text::pg_catalog.jsonb, key => $4::pg_catalog.text) as id',
  topic:
    'select djr.publish_topic(type => $1::pg_catalog.text, detail => $2::pg_catalog.text::pg_catalog.jsonb, private_data => $3::pg_catalog.text::pg_catalog.jsonb, key => $4::pg_catalog.text, topic => $5::pg_catalog.text) as id',
  system:
    'select djr.publish_system(type => $1::pg_catalog.text, detail => $2::pg_catalog.text::pg_catalog.jsonb, private_data => $3::pg_catalog.text::pg_catalog.jsonb, key => $4::pg_catalog.text, user_id => $5::pg_catalog.text) as id',
};

const json = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value));

/** Finds out who gets a publication. Its values may be of any type, as apps without TypeScript, or with an `any`, call this as well. */
function audienceOf(publication: { scope?: unknown; userId?: unknown; topic?: unknown }): {
  scope: Scope;
  /** The user or the topic; null: none. */
  name: string | null;
} {
  // It counts whether the key is there, not its value: `userId: session.user?.id` means a user even if it is undefined.
  const names = 'userId' in publication;
  const hasTopic = 'topic' in publication;
  const { scope = hasTopic ? 'topic' : names ? 'user' : undefined, userId } = publication;
  if (!isScope(scope)) {
    throw new DjrError(
      'DJR02',
      `an event must have a userId, a topic, or a scope: 'public', 'user', 'topic' or 'system' (${scope === undefined ? 'it has none' : `the scope is ${shown(scope)}`})`,
      {
        detail: scope === undefined ? 'It has none.' : `The scope is ${shown(scope)}.`,
        hint: "For one user { userId, … }, for a topic { topic, … }, for every client { scope: 'public', … }.",
      },
    );
  }
  const { user, topic } = SCOPES[scope];
  if (names && user === 'none') {
    throw new DjrError('DJR02', `an event of scope ${scope} must have no userId (it is ${shown(userId)})`, {
      detail: `The userId is ${userId === undefined ? 'there, and undefined' : 'given'}.`,
      hint: 'Everyone would get it. For one user leave the scope out.',
    });
  }
  if (hasTopic !== (topic === 'required')) {
    const must = hasTopic ? `no topic (it is ${shown(publication.topic)})` : 'a topic (there is none)';
    throw new DjrError('DJR02', `an event of scope ${scope} must have ${must}`, {
      detail: hasTopic ? 'The topic is there.' : 'There is no topic.',
      hint: "For the clients that may hear a topic publish { topic: 'room:7', … }.",
    });
  }
  if (hasTopic) return { scope, name: toTopic(publication.topic) };
  if (!names && user !== 'required') return { scope, name: null };
  return { scope, name: toUserId(userId, 'the userId of an event') };
}

/**
 * A value that is no topic must not become the name of one that others hear: pg would send the same replacement character for each
 * half of a surrogate pair.
 */
export function toTopic(topic: unknown): string {
  if (typeof topic === 'string' && isTopic(topic)) return topic;
  const rule = 'a topic must be a text of 1 to 255 characters, without white space and control characters';
  throw new DjrError('DJR18', `${rule} (it ${describe(topic)})`, {
    detail: `It ${describe(topic)}.`,
    hint: 'Name what the clients follow, with a colon between words: room:7.',
  });
}

/** A value that is no text, or would be another text in PostgreSQL, must not become a key, which other events might then share. */
function keyOf(key: unknown): string | null {
  if (key === undefined || key === null) return null;
  // The rule for keys is that for the ids of users.
  if (isUserText(key)) return key;
  throw new DjrError('DJR11', `the key of an event must be a text of 1 to 255 characters (it ${describe(key)})`, {
    detail: `It ${describe(key)}.`,
    hint: 'Use what identifies the occurrence: `invoice-17-paid`.',
  });
}

function describe(value: unknown): string {
  if (value === null) return 'is null';
  if (typeof value !== 'string') return `is of type ${typeof value}`;
  const { length } = [...value];
  return length > 255 ? `has ${length}` : `is ${shown(value)}`;
}

/** A value that is no boolean must not decide whether the event is stored. */
function isStored(store: unknown): boolean {
  if (store === undefined || store === null) return true;
  if (typeof store === 'boolean') return store;
  throw new DjrError('DJR09', `store must be true or false (it is ${shown(store)})`, {
    hint: 'false: by NOTIFY alone, without a row.',
  });
}

/**
 * Publishes through SQL, which checks all rules but those that it could not see: that a user is missing, and that a topic or a key would
 * be another text in PostgreSQL.
 *
 * @returns the event's id; null if it has no row and was dropped because too many such events came, or if a trigger of the app kept it out
 * @throws {@link DjrError} with the SQLSTATE of the rule that was broken (docs/sql.md)
 */
export async function publish(
  client: SqlClient,
  publication: Publication<string, Detail, boolean>,
): Promise<number | null> {
  const { type, detail = {}, privateData } = publication;
  const { scope, name } = audienceOf(publication);
  const values = [type, json(detail), json(privateData), keyOf(publication.key)];
  if (scope !== 'public') values.push(name);
  const call = CALLS[scope];
  const stored = isStored(publication.store);
  const [row] = await run<{ id: unknown }>(
    client,
    stored ? call : call.replace(') as id', ', store => false) as id'),
    values,
  );
  if (row?.id === null) return null;
  // Libraries read a bigint differently: as a number, a text or a BigInt.
  const id = Number(row?.id);
  if (row && Number.isSafeInteger(id)) return id;
  throw new DjrError('DJR_CONFIG', 'The query of a client must return the row with the id of the event (it did not).', {
    hint: 'The event was published: roll the transaction back.',
  });
}
