import { createRealtime } from 'djr';
import pg from 'pg';

// Its idle connections do not keep a process that ends, and those of a module that was loaded before do not stay.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, allowExitOnIdle: true });
pool.on('error', () => {}); // The database ended an idle connection: the next query opens another.

// #region create
export const realtime = createRealtime({
  database: process.env.DATABASE_URL,
  hot: true, // `astro dev` loads this module anew after an edit.
  stopOn: ['SIGTERM', 'SIGINT'], // The server waits for open streams before it ends.
});
// #endregion

/** Where the stream stands, and the permission to hear the lobby, in one snapshot. @param {string} user */
export async function enterLobby(user) {
  const { rows } = await pool.query(`select djr.position() as since, djr.seal('lobby', $1::text) as seal`, [user]);
  return rows[0];
}
