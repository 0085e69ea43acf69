import type { Queryable } from '../postgres/connect.js';
import { dated, select } from '../postgres/select.js';
import { milliseconds } from '../postgres/types.js';

/** A row of the view `djr.consumer`. */
export interface ConsumerRow {
  name: string;
  types: string[] | null;
  topics: string[] | null;
  /** How many events it has yet to get, counted up to 100,000. */
  lag: number;
  /** Seconds since the oldest of them was inserted; null: it has had all events. */
  age: number | null;
  moved_at: Date | null;
  /** Why it must be reset; null: it need not be. */
  overtaken: string | null;
  lost: number | null;
}

export async function readConsumers(client: Queryable): Promise<ConsumerRow[]> {
  const rows = await select<ConsumerRow>(
    client,
    `select name, pg_catalog.to_json(types) as types, pg_catalog.to_json(topics) as topics, lag,
            extract(epoch from age)::pg_catalog.numeric as age, ${milliseconds('moved_at')} as moved_at, overtaken, lost
       from djr.consumer order by name`,
  );
  return dated(rows, 'moved_at');
}
