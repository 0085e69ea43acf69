import type { ExecutionContext } from 'ava';
import pg from 'pg';

/** A statement of a runtime that read events. */
export interface Reading {
  text: string;
  values: unknown[];
}

/** A pool for a runtime that notes each statement by which it reads events, through a cursor or not. */
export function notingPool(t: Pick<ExecutionContext, 'teardown'>, url: string): { pool: pg.Pool; readings: Reading[] } {
  const readings: Reading[] = [];
  const pool = new pg.Pool({ connectionString: url, application_name: 'djr' });
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...all: unknown[]) => unknown;
    const noting = (...all: unknown[]): unknown => {
      const { text, values } = (typeof all[0] === 'object' ? all[0] : {}) as Partial<Reading>;
      if (text?.includes('from djr.event')) readings.push({ text, values: values ?? [] });
      return query(...all);
    };
    Object.assign(client, { query: noting });
  });
  t.teardown(() => pool.end());
  return { pool, readings };
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

/** Rows of djr.event that a reading takes into its hands, those that it throws away included, when it is done again now. */
export async function rowsRead(
  db: { query(sql: string, values?: unknown[]): Promise<pg.QueryResultRow[]> },
  reading: Reading,
): Promise<number> {
  const [row] = await db.query(`explain (analyze, format json) ${reading.text}`, reading.values);
  const count = (plan: Plan): number => {
    const own =
      plan['Relation Name'] === 'event'
        ? plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
        : 0;
    return own * plan['Actual Loops'] + (plan.Plans ?? []).reduce((sum, part) => sum + count(part), 0);
  };
  return count((row!['QUERY PLAN'] as { Plan: Plan }[])[0]!.Plan);
}
