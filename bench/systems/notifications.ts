import pg from 'pg';
import { CHANNEL } from './system.js';

/**
 * A raw LISTEN. The payload is the user, a TAB and the detail; an event for everyone has no user.
 */
export async function listen(url: string, onEvent: (user: string, detail: string) => void): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  client.on('notification', ({ payload = '' }) => {
    const tab = payload.indexOf('\t');
    onEvent(payload.slice(0, tab), payload.slice(tab + 1));
  });
  await client.query(`listen ${CHANNEL}`);
}

/** Connections by user, and all of them. */
export class Audience<Connection> {
  readonly all = new Set<Connection>();
  private readonly users = new Map<string, Set<Connection>>();

  add(user: string, connection: Connection): void {
    this.all.add(connection);
    const own = this.users.get(user) ?? new Set();
    this.users.set(user, own.add(connection));
  }

  delete(user: string, connection: Connection): void {
    this.all.delete(connection);
    this.users.get(user)?.delete(connection);
  }

  of(user: string): Iterable<Connection> {
    return user === '' ? this.all : (this.users.get(user) ?? []);
  }
}

export const userOf = (path: string): string => /[?&]user=(\d+)/.exec(path)?.[1] ?? '';
