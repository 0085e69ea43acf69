import type pg from 'pg';
import { inTime } from '../lib/deadline.js';
import { select } from './select.js';

/**
 * Whether a connection has a session of PostgreSQL to itself.
 *
 * - `own`: PostgreSQL itself told the process id, so no other connection gets the backend.
 * - `shared`: a pooler gives the backend to other connections between two statements.
 * - `unknown`: neither could be proved; a pooler in session mode looks like this.
 */
export type Ownership = 'own' | 'shared' | 'unknown';

/** The message for the log. */
export const POOLED =
  'LISTEN is not heard: a connection pooler in transaction mode is in the way. Events are found by sweeping, up to ' +
  '250 ms late, and those without a row (store => false) are lost. Give djr a direct connection: database: { listen, pool }';

/** The backend is shared with other connections. Nothing was set on it, as a LISTEN would affect them as well. */
export class PooledError extends Error {
  constructor() {
    super('a pooler in transaction mode is in the way');
  }
}

/** Milliseconds within which a backend that no other connection uses answers once. */
const ANSWERS_WITHIN = 3000;

/**
 * How often a connection must find the same backend. The busier the backends of a pooler are with other clients, the likelier it gives the
 * same one a few times by chance.
 */
const LOOKS = 20;

/** The same where the connection's process id is the backend's, as it is without a pooler. */
const LOOKS_AT_OWN = 2;

const BACKEND = 'select pg_catalog.pg_backend_pid() as pid';

async function backendOf(client: pg.Client): Promise<number> {
  const [row] = await select<{ pid: number }>(client, BACKEND);
  return row!.pid;
}

/** Whether a connection finds the same backend each time. */
async function keeps(client: pg.Client, pid: number, looks: number): Promise<boolean> {
  for (let look = 0; look < looks; look += 1) if ((await backendOf(client)) !== pid) return false;
  return true;
}

/**
 * Finds out whether an idle connection keeps its backend while a second one holds a transaction. A pooler in transaction mode gives the
 * first one's backend to the second one, and then another backend to the first. It sets nothing and leaves nothing behind.
 *
 * @param openSecond - opens another connection to the same address, which is closed in the end
 */
export async function ownershipOf(client: pg.Client, openSecond: () => Promise<pg.Client>): Promise<Ownership> {
  const processId = (client as unknown as { processID: number | null }).processID;
  const pid = await backendOf(client);
  const looks = processId === pid ? LOOKS_AT_OWN : LOOKS;
  if (!(await keeps(client, pid, looks))) return 'shared';
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
      // A pooler in statement mode refuses transactions with several statements.
      return 'shared';
    }
    if ((await backendOf(second)) === pid) return 'shared';
    const answer = backendOf(client);
    // A pooler with one backend has none left for the first connection, which is answered only when the second one has ended.
    const first = await inTime(answer, ANSWERS_WITHIN);
    if (first === undefined) {
      // Closing the second connection returns its backend.
      void second.end().catch(() => {});
      await answer;
      return 'shared';
    }
    if (first !== pid || !(await keeps(client, pid, looks - 1))) return 'shared';
    return processId === pid ? 'own' : 'unknown';
  } finally {
    // Its answer is not needed any more, so nobody waits for it.
    void second.end().catch(() => {});
  }
}
