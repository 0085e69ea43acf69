import { createRealtime } from 'djr';
import pg from 'pg';

// Its idle connections do not keep a process that ends.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, allowExitOnIdle: true });

export const realtime = createRealtime({
  database: pool,
  hot: true, // `vite dev` loads this module anew after an edit.
  stopOn: ['SIGTERM', 'SIGINT'], // The server waits for open streams before it ends.
});

/** Where the stream stands, and the permission to hear the lobby, in one snapshot. @param {string} user */
export async function read(user) {
  const { rows } = await pool.query(`select djr.position() as since, djr.seal('lobby', $1::text) as seal`, [user]);
  return realtime.scriptTag({ since: rows[0].since, topics: ['lobby'], seals: [rows[0].seal] });
}
