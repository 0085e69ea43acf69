import type pg from 'pg';
import { requireSchema } from '../install/schema.js';
import { newClient } from '../postgres/connect.js';
import { TYPES } from '../postgres/types.js';

/** A connection that whoever asked for it ends. */
export async function open(config: pg.ClientConfig): Promise<pg.Client> {
  const client = newClient(config, { types: TYPES });
  // A connection that breaks rejects the query in progress; without a listener it would end the process as well.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A connection for as long as `work` takes. */
export async function withClient<T>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await open(config);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The runtime tries to connect for ever. Whoever has just typed a command wants to be told at once. */
export function checkDatabase(config: pg.ClientConfig): Promise<void> {
  return withClient(config, requireSchema);
}
