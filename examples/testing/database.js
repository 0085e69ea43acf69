// @ts-check
/** Used by the tests beside it, whatever runs them. */
import { createDatabase } from 'djr/testing';
import pg from 'pg';
import { SCHEMA } from './orders.js';

/** A database of one test's own, with a client in a transaction that is rolled back. */
export async function begin() {
  const database = await createDatabase({
    async setup(url) {
      const client = new pg.Client(url);
      await client.connect();
      await client.query(SCHEMA);
      await client.query(`insert into orders values (7, 'ada')`);
      await client.end();
    },
    key: SCHEMA,
  });
  const client = new pg.Client(database.url);
  await client.connect();
  await client.query('begin');
  const end = async () => {
    await client.query('rollback');
    await client.end();
    await database.drop();
  };
  return { client, end };
}
