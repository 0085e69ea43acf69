/** The login, as SvelteKit's own guide has it: a row for each session, and a cookie that names it. */
import { randomBytes } from 'node:crypto';
import { pool } from './database.js';

const TABLE = 'create table if not exists session (id text primary key, name text not null)';

/** Made at the first login. @type {Promise<unknown> | undefined} */
let made;

/** @param {string} name @returns {Promise<string>} the session's id */
export async function begin(name) {
  made ??= pool.query(TABLE);
  await made;
  const id = randomBytes(18).toString('base64url');
  await pool.query('insert into session values ($1, $2)', [id, name]);
  return id;
}

/** @param {string | undefined} id @returns {Promise<string | undefined>} */
export async function userOf(id) {
  if (!id) return undefined;
  made ??= pool.query(TABLE);
  await made;
  return (await pool.query('select name from session where id = $1', [id])).rows[0]?.name;
}
