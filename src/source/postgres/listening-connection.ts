import pg from 'pg';
import { codeOf } from '../../lib/error-code.js';
import { close, drop } from '../../postgres/cancel.js';
import { newClient } from '../../postgres/connect.js';
import { ownershipOf, PooledError } from '../../postgres/ownership.js';
import { select } from '../../postgres/select.js';
import { TYPES } from '../../postgres/types.js';
import { Session } from './session.js';

export interface ListeningConnectionOptions {
  database: string | pg.ClientConfig;
  /** Called before LISTEN. If it throws, the connection does not listen. */
  prepare(client: pg.Client): Promise<void>;
  /** A message on the channel came. */
  onNotification(connection: ListeningConnection, payload: string): void;
}

/** Milliseconds for one query: a connection that was cut without notice gives no answer for many minutes. */
const QUERY_TIMEOUT = 30_000;

/** A listener is idle for long, so its session must not be ended for that. The setting can only be changed for the whole session. */
const NEVER_IDLE = 'set idle_session_timeout = 0';

const CHANNEL = 'select djr.channel() as channel';

/** Opens a connection to the listener's database, without LISTEN. */
export async function connectTo(database: string | pg.ClientConfig): Promise<pg.Client> {
  const client = newClient(database, { query_timeout: QUERY_TIMEOUT });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (err) {
    void client.end().catch(() => {});
    throw err;
  }
  return client;
}

/** One connection that listens on djr's channel, until it ends. */
export class ListeningConnection {
  readonly session: Session;
  /** Resolves when the connection has ended, with the reason. */
  readonly ended: Promise<Error>;
  readonly #options: ListeningConnectionOptions;
  #channel = '';

  private constructor(client: pg.Client, options: ListeningConnectionOptions) {
    this.#options = options;
    this.session = new Session(client);
    this.ended = new Promise<Error>((resolve) => {
      client.once('error', resolve);
      client.once('end', () => resolve(new Error('the connection ended')));
    });
  }

  /**
   * Resolves when LISTEN is in force.
   *
   * @throws `PooledError` if a pooler shares the backend with other sessions, so that LISTEN would not work
   */
  static async open(options: ListeningConnectionOptions): Promise<ListeningConnection> {
    const client = await connectTo(options.database);
    const connection = new ListeningConnection(client, options);
    try {
      await connection.#listen();
    } catch (err) {
      // An error without a code is a time-out: the server may still be working on the query.
      if (err instanceof PooledError || codeOf(err) !== undefined) close(client);
      else drop(client);
      throw err;
    }
    return connection;
  }

  get channel(): string {
    return this.#channel;
  }

  get #client(): pg.Client {
    return this.session.client;
  }

  async #listen(): Promise<void> {
    const client = this.#client;
    const { database, onNotification, prepare } = this.#options;
    await prepare(client);
    const ownership = await ownershipOf(client, () => connectTo(database));
    if (ownership === 'shared') throw new PooledError();
    // Set at once if the session is this connection's alone, as a short idle time-out may be over before the first probe is heard.
    if (ownership === 'own') await client.query(NEVER_IDLE).catch(() => {});
    const rows = await select<{ channel: string }>(client, CHANNEL);
    this.#channel = rows[0]!.channel;
    client.on('notification', ({ channel, payload }) => {
      if (channel === this.#channel) onNotification(this, payload ?? '');
    });
    await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
  }

  /** Keeps PostgreSQL from ending this session for being idle. Called once a probe has proved that the session is this connection's alone. */
  async stayIdle(): Promise<void> {
    await this.session.query(NEVER_IDLE).catch(() => {});
  }

  /** Reads the current name of the channel, which `djr.configure` may have changed. */
  async readChannel(): Promise<string> {
    const { rows } = await this.session.query<{ channel: string }>({ text: CHANNEL, types: TYPES });
    return rows[0]!.channel;
  }

  /** Listens on another channel, and no longer on the old one. */
  async moveTo(channel: string): Promise<void> {
    const old = this.#channel;
    this.#channel = channel;
    await this.session.query({ text: `unlisten ${pg.escapeIdentifier(old)}; listen ${pg.escapeIdentifier(channel)}` });
  }

  /** Gives the connection up: {@link ended} resolves with this reason. */
  fail(reason: Error): void {
    this.#client.emit('error', reason);
  }

  /** Closes the connection without waiting for PostgreSQL. */
  close(): void {
    if (this.session.busy) drop(this.#client);
    else close(this.#client);
  }

  /** Ends the connection in order. */
  async end(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}
