import type { ExecutionContext } from 'ava';
import pg from 'pg';
import type { TestDatabase } from './database.js';

/** A login role of a test's own, with a connection as that role: no membership, no SET ROLE to come back from. */
export async function roleOf(t: Pick<ExecutionContext, 'teardown'>, db: TestDatabase, grants: readonly string[] = []) {
  const role = `${grants[0] ?? 'nobody'}_${db.name}`;
  await db.query(`create role ${role} login password 'secret'`);
  for (const grant of grants) await db.query(`select djr.${grant}($1)`, [role]);
  const url = new URL(db.url);
  url.username = role;
  url.password = 'secret';
  const client = new pg.Client(url.href);
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await db.query(`drop owned by ${role}; drop role ${role}`);
  });
  return { role, client, query: async (sql: string, values?: unknown[]) => (await client.query(sql, values)).rows };
}
