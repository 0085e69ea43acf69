import type pg from 'pg';
import { ask } from './ask.js';

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `warning`: it works, and could hurt later. */
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** The one thing to do; empty where nothing is. */
  readonly todo: string;
}

export type Found = Omit<Finding, 'check'>;
export type Check = (client: pg.Client) => Promise<Found>;

export const ok = (found: string): Found => ({ state: 'ok', found, todo: '' });
export const warning = (found: string, todo: string): Found => ({ state: 'warning', found, todo });
export const failed = (found: string, todo: string): Found => ({ state: 'failed', found, todo });

export const one = async <Row extends pg.QueryResultRow>(
  client: pg.Client,
  sql: string,
  values: unknown[] = [],
): Promise<Row> => {
  const [row] = await ask<Row>(client, sql, values);
  // The one table that such a statement may find empty.
  if (!row) throw new Error('djr.settings has no row; `djr migrate` puts it back');
  return row;
};
