import type pg from 'pg';
import { DjrError, fromPostgres } from '../errors.js';
import {
  type EventFilter,
  type EventScope,
  type EventState,
  listQuery,
  type PageKey,
  STATUSES,
  SUMMARY,
} from './event-filter.js';
import { type Online, readTopicOnline, readUserOnline } from './online.js';
import { type InstanceRow, readInstances } from './statistics.js';

/** One line of a list. */
export interface EventSummary {
  id: string;
  type: string;
  scope: EventScope;
  user_id: string | null;
  topic: string | null;
  /** The beginning of the detail, as text. */
  preview: string;
  created_at: Date;
  replay_of: string | null;
  status: EventState;
  recipients: number;
  errors: number;
}

export interface EventPage {
  events: EventSummary[];
  /** Whether there are older, newer ones. */
  older: boolean;
  newer: boolean;
}

export interface EventRecord extends EventSummary {
  /** As PostgreSQL prints it: no number is rounded. */
  detail: string;
  key: string | null;
  /** Whether there is private data: it is read by {@link AdminStore.privateData} only. */
  has_private_data: boolean;
  /** The first of its replays. */
  replays: string[];
  activity: Step[];
}

/** What became of an event. */
export interface Step {
  created_at: Date;
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

/** Events that one replay may have, steps and replays of one event that are shown. */
export const MAX_REPLAY = 100;
export const MAX_STEPS = 200;
const MAX_REPLAYS = 50;

/** Milliseconds that a search may take; then it is ended, and says so. */
export const SEARCH_TIMEOUT = 3000;

/** Searches at the same time, and those that wait: the pool is there for delivery first. */
const MAX_READERS = 2;
const MAX_WAITING = 20;

/** What the admin reads and does, with bounds on its time and its connections. */
export class AdminStore {
  readonly #pool: () => pg.Pool;
  #reading = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(pool: () => pg.Pool) {
    this.#pool = pool;
  }

  /** @throws {@link DjrError} `DJR_SLOW`: it took too long; `DJR_BUSY`: too many wait */
  async list(filter: EventFilter, key: PageKey, size: number): Promise<EventPage> {
    const { text, values } = listQuery(filter, key, size + 1);
    const rows = await this.#read(async (client) => (await client.query<EventSummary>(text, values)).rows);
    const more = rows.length > size;
    const events = rows.slice(0, size);
    if (key.after === undefined) return { events, older: more, newer: key.before !== undefined };
    return { events: events.reverse(), older: true, newer: more };
  }

  /** Types of the latest events, to choose from. */
  async recentTypes(): Promise<string[]> {
    const recent = 'select type from djr.event order by id desc limit 500';
    const text = `select distinct type from (${recent}) latest order by type limit 50`;
    const rows = await this.#read(async (client) => (await client.query<{ type: string }>(text)).rows);
    return rows.map(({ type }) => type);
  }

  /** @returns undefined when there is no such event */
  async find(id: string): Promise<EventRecord | undefined> {
    return this.#read(async (client) => {
      const { rows } = await client.query<Omit<EventRecord, 'activity' | 'replays'>>(
        `select ${SUMMARY}, jsonb_pretty(event.detail) as detail, stored.key, stored.private_data is not null as has_private_data
           from djr.event_status event join djr.event stored using (id) where event.id = $1`,
        [id],
      );
      if (!rows[0]) return undefined;
      const { rows: activity } = await client.query<Step>(
        // The rows of one batch are microseconds apart, in no order.
        `select created_at, status, user_id, recipients, instance from djr.activity
          where event_id = $1 order by date_trunc('milliseconds', created_at), array_position($3::text[], status) limit $2`,
        [id, MAX_STEPS + 1, STATUSES],
      );
      const { rows: replays } = await client.query<{ replay: string }>(
        `select id::text as replay from djr.event where replay_of = $1 order by event.id limit ${MAX_REPLAYS}`,
        [id],
      );
      return { ...rows[0], activity, replays: replays.map(({ replay }) => replay) };
    });
  }

  /** Of the events that there are, in the order asked for. */
  async findAll(ids: string[]): Promise<EventSummary[]> {
    const text = `select ${SUMMARY} from unnest($1::bigint[]) with ordinality wanted (id, place)
                    join djr.event_status event on event.id = wanted.id order by place`;
    return this.#read(async (client) => (await client.query<EventSummary>(text, [ids])).rows);
  }

  /** @returns pretty JSON; undefined when there is none, or no such event */
  async privateData(id: string): Promise<string | undefined> {
    const text = 'select jsonb_pretty(private_data) as data from djr.event where id = $1 and private_data is not null';
    const rows = await this.#read(async (client) => (await client.query<{ data: string }>(text, [id])).rows);
    return rows[0]?.data;
  }

  /** @returns the new ids @throws {@link DjrError} DJR06, DJR07 */
  async replay(ids: string[]): Promise<string[]> {
    const text = 'select id::text from djr.replay($1::bigint[]) replayed (id)';
    try {
      return (await this.#pool().query<{ id: string }>(text, [ids])).rows.map(({ id }) => id);
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  async overview(): Promise<{ settings: AdminSettings; instances: InstanceRow[] }> {
    return this.#read(async (client) => {
      const { rows } = await client.query<AdminSettings>(
        `select storage, activity, delivery, retention::text,
                case (select last_value from djr.delivery_mode) when 2 then 'sweep' else 'notify' end as mode
           from djr.settings`,
      );
      return { settings: rows[0]!, instances: await readInstances(client) };
    });
  }

  /** Who is connected now, as far as a user or a topic is asked for: with the option `presence` only. */
  async online(asked: { user?: string | undefined; topic?: string | undefined }): Promise<Online> {
    return this.#read(async (client) => ({
      user: asked.user === undefined ? undefined : await readUserOnline(client, asked.user),
      topic: asked.topic === undefined ? undefined : await readTopicOnline(client, asked.topic),
    }));
  }

  /** Whether a containment in the detail has an index of its own. */
  async hasDetailIndex(): Promise<boolean> {
    const text = `select from pg_catalog.pg_index index join pg_catalog.pg_class class on class.oid = index.indexrelid
                    join pg_catalog.pg_am method on method.oid = class.relam
                   where index.indrelid = 'djr.event'::regclass and index.indisvalid and index.indpred is null and method.amname = 'gin'
                     and exists (select from pg_catalog.pg_attribute a where a.attrelid = index.indrelid
                                  and a.attname = 'detail' and a.attnum = index.indkey[0])`;
    return this.#read(async (client) => (await client.query(text)).rowCount !== 0);
  }

  /** The same for every instance, and for nobody else to know: what forms are signed with. */
  async secret(): Promise<string> {
    const { rows } = await this.#pool().query<{ channel: string }>('select djr.channel() as channel');
    return rows[0]!.channel;
  }

  async #read<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      const client = await this.#pool().connect();
      let failure: unknown;
      try {
        // In a transaction, so that it holds through a pooler, too.
        await client.query(`begin read only; set local statement_timeout = ${SEARCH_TIMEOUT}`);
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        failure = error;
        throw isCancelled(error) ? slow(error) : fromPostgres(error);
      } finally {
        const ended = failure === undefined || (await client.query('rollback').then(Boolean, () => false));
        client.release(!ended);
      }
    } finally {
      this.#reading -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#reading >= MAX_READERS) {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new DjrError('DJR_BUSY', 'Too many searches are waiting already.', { hint: 'Try again in a moment.' });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#reading += 1;
  }
}

const isCancelled = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '57014';

const slow = (cause: unknown) =>
  new DjrError('DJR_SLOW', `The search was ended after ${SEARCH_TIMEOUT / 1000} seconds, without a result.`, {
    hint: 'Add a type, a user or a range of dates, which have an index.',
    cause,
  });
