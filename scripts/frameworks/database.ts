import pg from 'pg';
import { migrate } from '../../src/install/migrate.js';

/** A database of one example's own: whatever is connected to it is that example's. */
export class Database {
  readonly url: string;
  readonly #client: pg.Client;

  private constructor(url: string, client: pg.Client) {
    this.url = url;
    this.#client = client;
  }

  static async create(server: string, name: string): Promise<Database> {
    const admin = new pg.Client(server);
    await admin.connect();
    await admin.query(`create database ${pg.escapeIdentifier(name)}`);
    await admin.end();
    const url = new URL(server);
    url.pathname = `/${name}`;
    await migrate(url.href);
    const client = new pg.Client(url.href);
    await client.connect();
    return new Database(url.href, client);
  }

  /** An event for ann, one for bob, and one for the lobby. */
  async publish(mark: string): Promise<void> {
    await this.#client.query(
      `select djr.publish('ann', 'note', jsonb_build_object('text', 'for ann ' || $1)),
              djr.publish('bob', 'note', jsonb_build_object('text', 'for bob ' || $1)),
              djr.publish_topic('lobby', 'message', jsonb_build_object('text', 'for all ' || $1))`,
      [mark],
    );
  }

  /** Connections, of djr's or of anybody's. */
  async connections(whose: 'djr' | 'all'): Promise<number> {
    const { rows } = await this.#client.query(
      `select count(*)::int from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and ($1 = 'all' or application_name = 'djr')`,
      [whose],
    );
    return rows[0].count;
  }

  /** Names of the instances that have said that they run. */
  async instances(): Promise<string[]> {
    return (await this.#client.query(`select name from djr.instance`)).rows.map(({ name }) => name);
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
