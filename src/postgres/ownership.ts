import type pg from 'pg';
import { inTime } from '../lib/deadline.js';
import { select } from './select.js';

/**
 * Whose PostgreSQL session a connection is.
 *
 * - `own`: PostgreSQL itself gave it its process id, and no other session gets its backend.
 * - `shared`: a pooler gives its backend to others between two statements.
 * - `unknown`: neither could be shown; a pooler in session mode looks so.
 */
export type Ownership = 'own' | 'shared' | 'unknown';

/** For the log. */
export const POOLED =
  'LISTEN is not heard: a connection pooler in transaction mode is in the way. Events are found by sweeping, up to ' +
  '250 ms late. Give djr a direct connection: database: { listen, pool }';

/** The backend is shared with other sessions: nothing has been set on it, and LISTEN would be theirs as well. */
export class PooledError extends Error {
  constructor() {
    super('a pooler in transaction mode is in the way');
  }
}

/** Milliseconds in which a backend that nobody else has answers. */
const ANSWERS_WITHIN = 3000;

const BACKEND = 'select pg_catalog.pg_backend_pid() as pid';

async function backendOf(client: pg.Client): Promise<number> {
  const [row] = await select<{ pid: number }>(client, BACKEND);
  return row!.pid;
}

/**
 * Looks at the backend of an idle connection while a second one holds a transaction: a pooler in transaction mode gives the
 * second one the first one's backend, and then another one to the first. Sets nothing and leaves nothing behind.
 *
 * @param openSecond - another connection to the same address, which is closed in the end
 */
export async function ownershipOf(client: pg.Client, openSecond: () => Promise<pg.Client>): Promise<Ownership> {
  const processId = (client as unknown as { processID: number | null }).processID;
  const before = [await backendOf(client), await backendOf(client)];
  const pid = before[0]!;
  if (before[1] !== pid) return 'shared';
  let second: pg.Client;
  try {
    second = await openSecond();
  } catch {
    return 'unknown';
  }
  try {
    try {
      await second.query('begin read only');
    } catch {
      // A pooler in statement mode has no transactions of several statements.
      return 'shared';
    }
    if ((await backendOf(second)) === pid) return 'shared';
    const behind = backendOf(client).then(async (first) => first === pid && (await backendOf(client)) === pid);
    // A pool of one backend has none left for the first: it answers once the second has ended.
    const same = await inTime(behind, ANSWERS_WITHIN);
    if (same === undefined) {
      // Closed, it gives its backend back.
      void second.end().catch(() => {});
      await behind;
    }
    if (!same) return 'shared';
    return processId === pid ? 'own' : 'unknown';
  } finally {
    // Not waited for: nothing comes of it any more.
    void second.end().catch(() => {});
  }
}
