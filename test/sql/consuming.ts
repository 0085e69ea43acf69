import type { ExecutionContext } from 'ava';
import type pg from 'pg';
import { createDatabase, type TestDatabase } from '../helpers/database.js';

type Client = Pick<pg.Client, 'query'>;

/** The numbers of the events that one call returns. */
export async function consume(client: Client, call = `'billing'`): Promise<number[]> {
  const { rows } = await client.query<{ n: number }>(`select (detail ->> 'n')::int as n from djr.consume(${call})`);
  return rows.map(({ n }) => n);
}

export const publish = (client: { query(sql: string, values: unknown[]): Promise<unknown> }, ...numbers: number[]) =>
  client.query(
    `select djr.publish_public('note', jsonb_build_object('n', n)) from unnest($1::int[]) with ordinality e (n, at) order by at`,
    [numbers],
  );

export async function setUp(t: ExecutionContext, create = `'billing'`): Promise<TestDatabase> {
  const db = await createDatabase(t);
  await db.query(`select djr.create_consumer(${create})`);
  return db;
}

export async function begin(db: TestDatabase, level = 'read committed'): Promise<pg.Client> {
  const client = await db.connect();
  await client.query(`begin isolation level ${level}`);
  return client;
}
