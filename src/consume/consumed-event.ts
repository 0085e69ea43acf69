import type { Detail, Event, EventsOf, Scope } from '../event/event.js';
import { milliseconds } from '../postgres/types.js';

/** An event as a consumer gets it: everything that is stored of it. */
export interface ConsumedEvent<Type extends string = string, D extends object = Detail>
  extends Omit<Readonly<Event>, 'type' | 'detail'> {
  readonly type: Type;
  readonly detail: D;
  /** The private data, which no client gets; null: none. */
  readonly privateData: unknown;
  /** The idempotency key that it was published under; null: none. */
  readonly key: string | null;
  /** The event that this one sends again; null: it is an original. */
  readonly replayOf: number | null;
}

/** The union of all events of a map, so that `switch (event.type)` narrows `event.detail`. */
export type ConsumedEventOf<Events extends EventsOf<Events>> = {
  [T in keyof Events & string]: ConsumedEvent<T, Events[T]>;
}[keyof Events & string];

export interface ConsumedRow {
  id: number;
  created: number | null;
  type: string;
  scope: Scope;
  user_id: string | null;
  topic: string | null;
  detail: Detail;
  private_data: unknown;
  key: string | null;
  replay_of: number | null;
}

/** `$1` is the consumer, `$2` the most events, `$3` the mode. */
export const CONSUME = `
  select id, ${milliseconds('created_at')} as created, type, scope, user_id, topic, detail, private_data, key, replay_of
    from djr.consume($1, $2, $3)`;

export const toConsumedEvent = (row: ConsumedRow): ConsumedEvent => ({
  id: row.id,
  type: row.type,
  scope: row.scope,
  userId: row.user_id,
  topic: row.topic,
  detail: row.detail,
  createdAt: new Date(row.created ?? Number.NaN),
  privateData: row.private_data,
  key: row.key,
  replayOf: row.replay_of,
});
