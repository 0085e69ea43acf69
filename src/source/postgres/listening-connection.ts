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
  /** Runs before LISTEN; what it throws keeps the connection from listening. */
  prepare(client: pg.Client): Promise<void>;
  /** A message on the channel. */
  onNotification(connection: ListeningConnection, payload: string): void;
}

/** Milliseconds for one query of ours: a connection cut in silence gives no answer for many minutes. */
const QUERY_TIMEOUT = 30_000;

/** A listener is idle for long, and this can only be said for all of its session. */
const NEVER_IDLE = 'set idle_session_timeout = 0';

const CHANNEL = 'select djr.channel() as channel';

/** A connection to where the listener connects, without LISTEN. */
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
  /** Resolves with why the connection has ended. */
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
   * @throws `PooledError` where a pooler shares the backend with other sessions: nothing would be heard there
   */
  static async open(options: ListeningConnectionOptions): Promise<ListeningConnection> {
    const client = await connectTo(options.database);
    const connection = new ListeningConnection(client, options);
    try {
      await connection.#listen();
    } catch (err) {
      // What has no code is a time-out: the server may be at it still.
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
    // At once, where it is ours alone: until the first probe is heard a short time-out may be over.
    if (ownership === 'own') await client.query(NEVER_IDLE).catch(() => {});
    const rows = await select<{ channel: string }>(client, CHANNEL);
    this.#channel = rows[0]!.channel;
    client.on('notification', ({ channel, payload }) => {
      if (channel === this.#channel) onNotification(this, payload ?? '');
    });
    await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
  }

  /** PostgreSQL never ends this session for being idle: a probe has shown that it is ours, whatever stands in between. */
  async stayIdle(): Promise<void> {
    await this.session.query(NEVER_IDLE).catch(() => {});
  }

  /** The name of the channel now: `djr.configure` may have given it another one. */
  async readChannel(): Promise<string> {
    const { rows } = await this.session.query<{ channel: string }>({ text: CHANNEL, types: TYPES });
    return rows[0]!.channel;
  }

  /** Listens on another channel from now on, and on the old one no more. */
  async moveTo(channel: string): Promise<void> {
    const old = this.#channel;
    this.#channel = channel;
    await this.session.query({ text: `unlisten ${pg.escapeIdentifier(old)}; listen ${pg.escapeIdentifier(channel)}` });
  }

  /** Gives the connection up: {@link ended} resolves with this reason. */
  fail(reason: Error): void {
    this.#client.emit('error', reason);
  }

  /** Closes what has ended, or is to end now, without waiting for PostgreSQL. */
  close(): void {
    if (this.session.busy) drop(this.#client);
    else close(this.#client);
  }

  /** Ends the connection in order. */
  async end(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}
