import { once } from 'node:events';
import type pg from 'pg';
import type { TestDatabase } from './database.js';

/** The error that a statement is refused with; no error is a failure. */
export async function refusal(
  db: { query(sql: string, values?: unknown[]): Promise<unknown> },
  sql: string,
  values?: unknown[],
): Promise<pg.DatabaseError> {
  try {
    await db.query(sql, values);
  } catch (error) {
    return error as pg.DatabaseError;
  }
  throw new Error(`Not refused: ${sql}`);
}

/** Listens on djr's channel with a connection of its own. */
export async function listen(
  db: TestDatabase,
): Promise<{ messages(count: number): Promise<string[]>; received: string[] }> {
  const client = await db.connect();
  const received: string[] = [];
  client.on('notification', ({ payload }) => received.push(payload ?? ''));
  const [row] = await db.query<{ channel: string }>('select djr.channel() as channel');
  await client.query(`listen "${row!.channel}"`);
  return {
    received,
    async messages(count) {
      while (received.length < count) await once(client, 'notification');
      return received;
    },
  };
}
