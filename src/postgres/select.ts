import type pg from 'pg';
import type { Queryable } from './connect.js';
import { TYPES } from './types.js';

/** Runs one statement of djr and returns its rows, parsed as djr parses them, whatever the process or the session is set to. */
export async function select<Row extends pg.QueryResultRow>(
  client: Queryable,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return (await client.query<Row>({ text, values, types: TYPES })).rows;
}

/** Turns columns with milliseconds since 1970 (see `milliseconds`) into dates; null stays null. */
export function dated<Row extends object>(rows: Row[], ...columns: (keyof Row)[]): Row[] {
  for (const row of rows) {
    for (const column of columns) {
      const at = row[column] as unknown as number | null;
      if (at !== null) row[column] = new Date(at) as Row[keyof Row];
    }
  }
  return rows;
}

/** The first row of one statement. */
export const one = async <Row extends pg.QueryResultRow>(
  client: Queryable,
  sql: string,
  values: unknown[] = [],
): Promise<Row> => {
  const [row] = await select<Row>(client, sql, values);
  // djr.settings is the only table that such a statement may find empty.
  if (!row) throw new Error('djr.settings has no row; `djr migrate` puts it back');
  return row;
};
