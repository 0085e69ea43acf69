import pg from 'pg';

/** Connections that share the work, so that one slow commit does not hold all of it up. */
const CONNECTIONS = 8;

export interface Beside {
  /** What is published meanwhile, by its own connections. */
  sql: string;
  /** Calls a second. */
  rate: number;
}

/**
 * Publishes something else while a round is measured, at a fixed rate as far as the database lets it.
 *
 * @returns ends it, and says how many calls there were and how many of them were answered with null
 */
export async function publishBeside(
  url: string,
  { sql, rate }: Beside,
): Promise<() => Promise<{ calls: number; dropped: number }>> {
  const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client(url));
  await Promise.all(clients.map((client) => client.connect()));
  const began = performance.now();
  let calls = 0;
  let dropped = 0;
  let ended = false;
  const running = clients.map(async (client) => {
    while (!ended) {
      const ahead = (calls / rate) * 1000 - (performance.now() - began);
      if (ahead > 1) {
        await new Promise((resolve) => setTimeout(resolve, ahead));
        continue;
      }
      calls += 1;
      const { rows } = await client.query<[string | null]>({ name: 'beside', text: sql, rowMode: 'array' });
      if (rows[0]![0] === null) dropped += 1;
    }
  });
  return async () => {
    ended = true;
    await Promise.all(running);
    await Promise.all(clients.map((client) => client.end()));
    return { calls, dropped };
  };
}
