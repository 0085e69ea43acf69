import type { ExecutionContext } from 'ava';
import type pg from 'pg';
import type { TestDatabase } from './database.js';

/** A login role of a test's own, gone with the test. */
export interface TestRole {
  readonly role: string;
  /** The test's database, as that role. */
  readonly url: string;
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
}

/**
 * @param prefix - the name's beginning; the database's name makes it the test's own
 * @param options - as in CREATE ROLE
 */
export async function createRole(
  t: ExecutionContext,
  db: TestDatabase,
  prefix: string,
  options = '',
): Promise<TestRole> {
  const role = `${prefix}_${db.name}`;
  const quoted = `"${role.replaceAll('"', '""')}"`;
  await db.query(`create role ${quoted} login password 'secret' ${options}`);
  const url = new URL(db.url);
  url.username = encodeURIComponent(role);
  url.password = 'secret';
  t.teardown(() => db.query(`drop owned by ${quoted} cascade; drop role ${quoted}`));
  return {
    role,
    url: url.href,
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) {
      const client = await db.connect({ connectionString: url.href });
      try {
        return (await client.query<Row>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
}

/** A role of a test's own with these uses of djr. */
export async function roleOf(t: ExecutionContext, db: TestDatabase, grants: readonly string[]): Promise<TestRole> {
  const role = await createRole(t, db, grants[0] ?? 'nobody');
  for (const grant of grants) await db.query(`select djr.${grant}($1)`, [role.role]);
  return role;
}
