import { createRealtime } from 'djr';
import { pool } from './database.js';

// #region create
export const realtime = createRealtime({
  database: process.env.DATABASE_URL,
  hot: true, // `vite dev` loads this module anew after an edit.
  stopOn: ['SIGTERM', 'SIGINT'], // The server waits for open streams before it ends.
});
// #endregion

/** Where the stream stands, and the permission to hear the lobby, in one snapshot. @param {string} user */
export async function enterLobby(user) {
  const { rows } = await pool.query(`select djr.position() as since, djr.seal('lobby', $1::text) as seal`, [user]);
  return rows[0];
}
