import pg from 'pg';

// Its idle connections do not keep a process that ends, and those of a module that was loaded before do not stay.
export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, allowExitOnIdle: true });
pool.on('error', () => {}); // The database ended an idle connection: the next query opens another.
