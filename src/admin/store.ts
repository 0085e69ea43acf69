import type pg from 'pg';
import { type ConsumerRow, readConsumers } from '../consume/consumer-list.js';
import { type InstanceRow, MODE, readInstances } from '../instance/statistics.js';
import { TimeoutError, within } from '../lib/deadline.js';
import { DjrError } from '../lib/errors.js';
import { Semaphore } from '../lib/semaphore.js';
import { checkOut } from '../postgres/checkout.js';
import type { Pool } from '../postgres/connect.js';
import { fromPostgres } from '../postgres/schema-error.js';
import { dated, select } from '../postgres/select.js';
import { milliseconds } from '../postgres/types.js';
import {
  type EventFilter,
  type EventScope,
  type EventState,
  listQuery,
  type PageKey,
  SOURCE,
  STATUSES,
  SUMMARY,
} from './event-filter.js';
import { type Online, readTopicOnline, readUserOnline } from './online.js';

/** One row of the list. */
export interface EventSummary {
  id: string;
  type: string;
  scope: EventScope;
  user_id: string | null;
  topic: string | null;
  /** The beginning of the detail, as text. */
  preview: string;
  /** Null: a time that a Date cannot hold. */
  created_at: Date | null;
  replay_of: string | null;
  status: EventState;
  recipients: number;
  errors: number;
}

export interface EventPage {
  events: EventSummary[];
  /** Whether there are older events, and whether there are newer ones. */
  older: boolean;
  newer: boolean;
}

export interface EventRecord extends EventSummary {
  /** The detail as PostgreSQL prints it, so that no number is rounded. */
  detail: string;
  key: string | null;
  /** Whether there is private data, which only {@link AdminStore.privateData} reads. */
  has_private_data: boolean;
  /** The first replays of the event. */
  replays: string[];
  activity: Step[];
}

/** One step of what became of an event. */
export interface Step {
  created_at: Date | null;
  status: EventState;
  user_id: string | null;
  recipients: number | null;
  instance: string | null;
}

export interface AdminSettings {
  storage: boolean;
  activity: string;
  delivery: string;
  retention: string | null;
  /** How events reach the runtimes now. */
  mode: string;
}

/** Events that one replay may have, and steps and replays of one event that are shown. */
export const MAX_REPLAY = 100;
export const MAX_STEPS = 200;
const MAX_REPLAYS = 50;

/** Milliseconds that a search may take before it is ended with an error. */
const SEARCH_TIMEOUT = 3000;

/** Milliseconds after which a reading without an answer is given up, as when the network was cut without notice. */
const ANSWER_TIMEOUT = 2 * SEARCH_TIMEOUT;

/** Searches that run at the same time, and searches that may wait, as delivery needs the pool first. */
const MAX_READERS = 2;
const MAX_WAITING = 20;

/** Reads and changes the database for the admin, with bounds on time and connections. */
export class AdminStore {
  readonly #pool: () => Pool;
  readonly #places = new Semaphore(MAX_READERS);

  constructor(pool: () => Pool) {
    this.#pool = pool;
  }

  /** @throws {@link DjrError} `DJR_SLOW`: it took too long; `DJR_BUSY`: too many wait */
  async list(filter: EventFilter, key: PageKey, size: number): Promise<EventPage> {
    const { text, values } = listQuery(filter, key, size + 1);
    const rows = await this.#read(async (client) =>
      dated(await select<EventSummary>(client, text, values), 'created_at'),
    );
    const more = rows.length > size;
    const events = rows.slice(0, size);
    if (key.after === undefined) return { events, older: more, newer: key.before !== undefined };
    return { events: events.reverse(), older: true, newer: more };
  }

  /** The types of the latest events, for the filter's choices. */
  async recentTypes(): Promise<string[]> {
    const recent = 'select type from djr.event order by id desc limit 500';
    const text = `select distinct type from (${recent}) latest order by type limit 50`;
    const rows = await this.#read((client) => select<{ type: string }>(client, text));
    return rows.map(({ type }) => type);
  }

  /** @returns the event; undefined: there is no such event */
  async find(id: string): Promise<EventRecord | undefined> {
    return this.#read(async (client) => {
      const [event] = await select<Omit<EventRecord, 'activity' | 'replays'>>(
        client,
        `select ${SUMMARY}, pg_catalog.jsonb_pretty(event.detail) as detail, stored.key,
                stored.private_data is not null as has_private_data
           from ${SOURCE}
          where event.id operator(pg_catalog.=) $1`,
        [id],
      );
      if (!event) return undefined;
      const activity = await select<Step>(
        client,
        // The rows of one batch are microseconds apart and in no particular order.
        `select ${milliseconds('created_at')} as created_at, status, user_id, recipients, instance from djr.activity
          where event_id operator(pg_catalog.=) $1
          order by pg_catalog.date_trunc('milliseconds', activity.created_at), pg_catalog.array_position($3::pg_catalog.text[], status)
          limit $2`,
        [id, MAX_STEPS + 1, STATUSES],
      );
      const replays = await select<{ replay: string }>(
        client,
        `select id::pg_catalog.text as replay from djr.event where replay_of operator(pg_catalog.=) $1 order by event.id limit ${MAX_REPLAYS}`,
        [id],
      );
      dated([event], 'created_at');
      dated(activity, 'created_at');
      return { ...event, activity, replays: replays.map(({ replay }) => replay) };
    });
  }

  /** The events that exist of those asked for, in the same order. */
  async findAll(ids: string[]): Promise<EventSummary[]> {
    const text = `select ${SUMMARY} from pg_catalog.unnest($1::bigint[]) with ordinality as wanted (id, place), ${SOURCE}
                   where event.id operator(pg_catalog.=) wanted.id order by place`;
    return this.#read(async (client) => dated(await select<EventSummary>(client, text, [ids]), 'created_at'));
  }

  /** @returns the private data as indented JSON; undefined: there is none, or no such event */
  async privateData(id: string): Promise<string | undefined> {
    const text =
      'select pg_catalog.jsonb_pretty(private_data) as data from djr.event where id operator(pg_catalog.=) $1 and private_data is not null';
    const rows = await this.#read((client) => select<{ data: string }>(client, text, [id]));
    return rows[0]?.data;
  }

  /** @returns the new ids @throws {@link DjrError} DJR06, DJR07 */
  async replay(ids: string[]): Promise<string[]> {
    const text = 'select id::pg_catalog.text from djr.replay($1::bigint[]) as replayed (id)';
    try {
      return (await select<{ id: string }>(this.#pool(), text, [ids])).map(({ id }) => id);
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  async overview(): Promise<{ settings: AdminSettings; instances: InstanceRow[]; consumers: ConsumerRow[] }> {
    return this.#read(async (client) => {
      const [settings] = await select<AdminSettings>(
        client,
        `select storage, activity, delivery, retention::pg_catalog.text, ${MODE} as mode from djr.settings`,
      );
      if (!settings) throw new DjrError('DJR_SCHEMA', 'djr.settings has no row.', { hint: 'Run `djr migrate`.' });
      return { settings, instances: await readInstances(client), consumers: await readConsumers(client) };
    });
  }

  /** Who is connected now, for a user or a topic. It needs the option `presence`. */
  async online(asked: { user?: string | undefined; topic?: string | undefined }): Promise<Online> {
    return this.#read(async (client) => ({
      user: asked.user === undefined ? undefined : await readUserOnline(client, asked.user),
      topic: asked.topic === undefined ? undefined : await readTopicOnline(client, asked.topic),
    }));
  }

  /** Whether there is an index for a search in the detail. */
  async hasDetailIndex(): Promise<boolean> {
    const text = `select from pg_catalog.pg_index index join pg_catalog.pg_class class on class.oid operator(pg_catalog.=) index.indexrelid
                    join pg_catalog.pg_am method on method.oid operator(pg_catalog.=) class.relam
                   where index.indrelid operator(pg_catalog.=) 'djr.event'::pg_catalog.regclass and index.indisvalid
                     and index.indpred is null and method.amname operator(pg_catalog.=) 'gin'
                     and exists (select from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=) index.indrelid
                                  and a.attname operator(pg_catalog.=) 'detail'
                                  and a.attnum operator(pg_catalog.=) index.indkey[0])`;
    return this.#read(async (client) => (await select(client, text)).length !== 0);
  }

  /** A secret that all instances share, with which forms are signed. */
  async secret(): Promise<string> {
    const [row] = await select<{ channel: string }>(this.#pool(), 'select djr.channel() as channel');
    return row!.channel;
  }

  async #read<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#places.waiting >= MAX_WAITING) {
      throw new DjrError('DJR_BUSY', 'Too many searches are waiting already.', { hint: 'Try again in a moment.' });
    }
    return this.#places.run(async () => {
      const { client, unlessLost, release } = await checkOut(this.#pool());
      let failure: Error | undefined;
      try {
        return await within(ANSWER_TIMEOUT, unlessLost(inTransaction(client, work)));
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        throw isCancelled(error) || error instanceof TimeoutError ? slow(error) : fromPostgres(error);
      } finally {
        // After an error the connection may be lost without notice, so it is closed instead of being asked for a rollback.
        release(failure);
      }
    });
  }
}

/** Runs a query in a transaction, so that the time-out applies through a pooler as well. */
async function inTransaction<T>(client: pg.PoolClient, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  await client.query(`begin read only; set local statement_timeout = ${SEARCH_TIMEOUT}`);
  const result = await work(client);
  await client.query('commit');
  return result;
}

const isCancelled = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '57014';

const slow = (cause: unknown) =>
  new DjrError('DJR_SLOW', `The search was ended after ${SEARCH_TIMEOUT / 1000} seconds, without a result.`, {
    hint: 'Add a type, a user or a range of dates, which have an index.',
    cause,
  });
