import { ask } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import type { Step } from './counter.js';

/** Milliseconds that one INSERT may take. */
const ANSWER_TIMEOUT = 10_000;

/** @returns how many rows of `djr.activity` were written */
export async function recordActivity(pool: Pool, instance: string, steps: readonly Step[]): Promise<number> {
  // Numbers and our own words need no quoting, which would take longer than all the rest.
  const list = (values: unknown[]) => `{${values.join(',')}}`;
  const query = {
    text: 'select djr.record_activity($1, $2, $3, $4, $5) as recorded',
    values: [
      instance,
      list(steps.map(({ event }) => event)),
      list(steps.map(({ status }) => status)),
      steps.map(({ userId }) => userId),
      list(steps.map(({ recipients }) => recipients ?? 'null')),
    ],
  };
  const { rows } = await ask<{ recorded: number }>(pool, query, ANSWER_TIMEOUT);
  return rows[0]!.recorded;
}
