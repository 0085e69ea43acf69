import { AssertionError } from 'node:assert';
import type { Detail, Scope } from '../event/event.js';
import { run, type SqlClient } from '../publish/sql-client.js';

/** An event that a transaction has published. */
export interface PublishedEvent {
  id: number;
  type: string;
  scope: Scope;
  userId: string | null;
  topic: string | null;
  detail: Detail;
  privateData: unknown;
  key: string | null;
}

/** What an event must be like. Fields that are left out may be anything; of `detail` only the named members count. */
export interface ExpectedEvent {
  type: string;
  scope?: Scope;
  /** A number means the same as its text. */
  userId?: string | number | bigint | null;
  topic?: string | null;
  detail?: Detail;
  privateData?: unknown;
  key?: string | null;
}

// Selected as one text, because libraries read JSON and bigints differently.
const PUBLISHED = `
  select coalesce(
    pg_catalog.json_agg(
      pg_catalog.json_build_object(
        'id', id, 'type', type, 'scope', scope, 'userId', user_id, 'topic', topic,
        'detail', detail, 'privateData', private_data, 'key', key
      ) order by id
    ), '[]'
  )::pg_catalog.text as events
  from djr.event
  where xid operator(pg_catalog.=) pg_catalog.pg_current_xact_id_if_assigned()
    and scope operator(pg_catalog.<>) 'control'`;

/** The events that the open transaction of this client has published, in order. Events without a row are not included. */
export async function published(client: SqlClient): Promise<PublishedEvent[]> {
  const [row] = await run<{ events: string }>(client, PUBLISHED, []);
  return JSON.parse(row!.events) as PublishedEvent[];
}

/**
 * Asserts that the open transaction of this client has published an event like this one. The test can then roll the transaction back, so
 * that nobody gets the event.
 *
 * @returns the first event that matches
 * @throws AssertionError of node:assert, with the events that were published
 */
export async function expectPublished(client: SqlClient, expected: ExpectedEvent): Promise<PublishedEvent> {
  const all = await published(client);
  const found = all.find((event) => isLike(event, expected));
  if (found) return found;
  const what =
    all.length === 0
      ? 'nothing was: is the client the one whose transaction publishes?'
      : all.map((event) => `\n  ${JSON.stringify(event)}`).join('');
  throw new AssertionError({
    message: `an event like ${JSON.stringify(expected, bigintAsText)} must have been published in this transaction (${what})`,
    actual: all,
    expected,
    operator: 'expectPublished',
    stackStartFn: expectPublished,
  });
}

const bigintAsText = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);

function isLike(event: PublishedEvent, { userId, ...expected }: ExpectedEvent): boolean {
  if (userId !== undefined && event.userId !== (userId === null ? null : String(userId))) return false;
  // Converted to JSON like the event: a Date becomes a text, and undefined members are left out.
  return contains(event, JSON.parse(JSON.stringify(expected)));
}

function contains(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return value === part;
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== Array.isArray(part)) return false;
  if (Array.isArray(part) && part.length !== (value as unknown[]).length) return false;
  return Object.entries(part).every(([name, member]) => contains((value as Record<string, unknown>)[name], member));
}
