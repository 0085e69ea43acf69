// @ts-check
/** The playground's table, and the role that runs what is typed: it may publish and seal, and change that table. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import Cursor from 'pg-cursor';

const ROLE = 'djr_playground';

/** More rows than this are not shown. */
const ROWS = 50;

const install = (/** @type {string} */ password) => `
do $$ begin
  if not exists (select from pg_roles where rolname = '${ROLE}') then create role ${ROLE}; end if;
end $$;
alter role ${ROLE} login nosuperuser nocreatedb nocreaterole noinherit connection limit 10 password '${password}';
alter role ${ROLE} set statement_timeout = '3s';
alter role ${ROLE} set lock_timeout = '1s';
create schema if not exists playground;
create table if not exists playground.orders (
  id int generated always as identity primary key,
  user_id text not null,
  status text not null,
  total numeric(10, 2) not null
);
insert into playground.orders (user_id, status, total)
  select * from (values ('ann', 'open', 19.90), ('bob', 'open', 5.00)) as v where not exists (select from playground.orders);
create or replace trigger orders_changed after insert or update or delete on playground.orders
  for each row execute function djr.publish_row('order_changed', 'user_id', 'id,status');
grant usage on schema playground to ${ROLE};
grant select, insert, update, delete on playground.orders to ${ROLE};
select djr.grant_publish('${ROLE}'), djr.grant_seal('${ROLE}');`;

/**
 * @typedef {{ columns: string[], rows: unknown[][], more: boolean, command: string, count: number | null }} Result
 */

/** @param {string} databaseUrl - by a role that may make roles, as `npm start` has it. */
export async function openDatabase(databaseUrl) {
  const password = randomBytes(18).toString('base64url');
  const owner = new pg.Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    await owner.query(install(password));
  } finally {
    await owner.end();
  }
  const url = new URL(databaseUrl);
  url.username = ROLE;
  url.password = password;
  const pool = new pg.Pool({ connectionString: url.href, max: 5, application_name: 'djr playground' });
  pool.on('error', () => {}); // The database ended an idle connection: the next statement opens another.

  return {
    /**
     * Runs one statement as the role. A cursor speaks the extended protocol, which takes no second statement.
     *
     * @param {string} sql
     * @returns {Promise<Result>}
     */
    async run(sql) {
      const client = await pool.connect();
      try {
        const cursor = client.query(
          // pg asks these of whatever runs a COPY, and a cursor has neither.
          Object.assign(new Cursor(sql, [], { rowMode: 'array' }), {
            handleCopyData() {},
            handleCopyInResponse: (/** @type {any} */ connection) =>
              connection.sendCopyFail('The playground has no data.'),
          }),
        );
        const { rows, result } = await read(cursor, ROWS + 1);
        await cursor.close();
        return {
          columns: result.fields.map(({ name }) => name),
          rows: rows.slice(0, ROWS),
          more: rows.length > ROWS,
          command: result.command,
          count: result.rowCount,
        };
      } finally {
        // A session for each statement: no transaction and no setting is left to the next one.
        client.release(true);
      }
    },
    /** A seal for a room, as the page's own query would make it. @param {string} user @param {string} topic */
    async seal(user, topic) {
      const { rows } = await pool.query('select djr.seal($1, $2::text) as seal', [topic, user]);
      return /** @type {string} */ (rows[0].seal);
    },
    close: () => pool.end(),
  };
}

/**
 * @param {Cursor} cursor @param {number} count
 * @returns {Promise<{ rows: unknown[][], result: pg.QueryResult }>}
 */
const read = (cursor, count) =>
  new Promise((resolve, reject) => {
    cursor.read(count, (error, rows, result) => (error ? reject(error) : resolve({ rows, result })));
  });
