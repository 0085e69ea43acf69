import type pg from 'pg';
import { requireSchema } from '../install/schema.js';
import { newClient } from '../postgres/connect.js';
import { TYPES } from '../postgres/types.js';

/** Opens a connection, which the caller must end. */
export async function open(config: pg.ClientConfig): Promise<pg.Client> {
  const client = newClient(config, { types: TYPES });
  // A connection that breaks rejects the running query. Without this listener it would end the process as well.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Opens a connection for as long as `work` takes. */
export async function withClient<T>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await open(config);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Connects once. The runtime tries to connect for ever, but a person who has typed a command must be told at once if the database cannot be reached. */
export function checkDatabase(config: pg.ClientConfig): Promise<void> {
  return withClient(config, requireSchema);
}
