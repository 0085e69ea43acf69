import type { TestDatabase } from './database.js';

/** What the events of a table's trigger say, in order. */
export async function eventsOf(
  db: Pick<TestDatabase, 'query'>,
): Promise<{ scope: string; user_id: string | null; type: string; detail: Record<string, unknown> }[]> {
  return db.query('select scope, user_id, type, detail from djr.event order by id');
}

/** Declares djr.publish_row for the rows of a table. */
export async function publishRows(db: Pick<TestDatabase, 'query'>, table: string, args: string): Promise<void> {
  await db.query(`create trigger changed after insert or update or delete on ${table}
    for each row execute function djr.publish_row(${args})`);
}

/** Declares djr.publish_row for whole statements on a table; each of the three names its tables in its own way. */
export async function publishStatements(db: Pick<TestDatabase, 'query'>, table: string, args: string): Promise<void> {
  const publish = `for each statement execute function djr.publish_row(${args})`;
  await db.query(`
    create trigger inserted after insert on ${table} referencing new table as "New rows" ${publish};
    create trigger updated after update on ${table} referencing old table as before new table as after ${publish};
    create trigger deleted after delete on ${table} referencing old table as event ${publish}`);
}
