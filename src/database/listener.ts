import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DjrError } from '../errors.js';
import type { Logger } from '../logger.js';
import { backoff, isHopeless, toConfig } from './connect.js';
import { Outage } from './outage.js';
import { Session } from './session.js';

export interface ListenerOptions {
  database: string | pg.ClientConfig;
  logger: Logger;
  /** A NOTIFY that is ours to decode. */
  onMessage(payload: string): void;
  /** LISTEN is in force on a new connection: what was published before must be swept. */
  onListening(): void;
  /** The connection is gone: until {@link onListening} nothing comes. */
  onLost(): void;
  /** Somebody asks for a sweep now. */
  onDoorbell(): void;
  /** Runs on each new connection before LISTEN; throwing keeps the listener from starting on it. */
  prepare(client: pg.Client): Promise<void>;
  /** Milliseconds between two probes. */
  probeInterval: number;
  /** Milliseconds within which a probe must be heard. */
  probeTimeout: number;
}

/** Milliseconds for one query of ours: a connection cut in silence gives no answer for many minutes. */
const QUERY_TIMEOUT = 30_000;

/**
 * One connection that listens, for ever: it reconnects with backoff and jitter, and sends itself a probe, which is
 * the only proof that LISTEN is heard (a pooler in transaction mode accepts LISTEN and swallows what comes).
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #outage: Outage;
  #session: Session | undefined;
  #channel = '';
  #stopped = false;
  /** Connections in a row that could not be made, or did not live until their first probe was over. */
  #failures = 0;
  #reconnects = 0;
  #failure: unknown;
  #heard: boolean | undefined;
  #probe: { nonce: string; heard: () => void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #started: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#outage = new Outage(options.logger);
  }

  /** Connected, and LISTEN sent. */
  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Whether the last probe came back; undefined before the first. False: there is a pooler in the way. */
  get heard(): boolean | undefined {
    return this.#heard;
  }

  /** The connection, when a probe has come back: it is one session of PostgreSQL, and not a pooler that has many. */
  get session(): Session | undefined {
    return this.#heard ? this.#session : undefined;
  }

  /** Why the last connection could not be made; undefined while there is one. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Connections made after the first. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /**
   * Connects and listens. Resolves when LISTEN is in force; goes on in the background until {@link stop}.
   *
   * @throws what no retry mends: a wrong password, a database or a schema that is not there.
   */
  start(): Promise<void> {
    this.#started ??= new Promise<void>((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    }).catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  }

  async #run(started: () => void, hopeless: (error: unknown) => void): Promise<void> {
    let first = true;
    while (!this.#stopped) {
      try {
        const { ended } = await this.#connect();
        this.#failure = undefined;
        if (!first) this.#reconnects += 1;
        first = false;
        started();
        const err = await ended;
        if (this.#stopped) break;
        this.#options.onLost();
        this.#outage.say(
          'warn',
          { err, failures: this.#failures },
          'the listening connection was lost; connecting again',
        );
      } catch (err) {
        if (this.#stopped) break;
        if (first && isHopeless(err)) {
          hopeless(err);
          return;
        }
        this.#failures += 1;
        this.#failure = err;
        this.#outage.say('error', { err, failures: this.#failures }, 'cannot listen to the database; will try again');
      }
      await this.#pause(backoff(this.#failures));
    }
    hopeless(new DjrError('DJR_STOPPED', 'This realtime has been stopped.'));
  }

  /** @returns a promise for why the connection ended, in an object: an async function would wait for it. */
  async #connect(): Promise<{ ended: Promise<Error> }> {
    const client = new pg.Client({ query_timeout: QUERY_TIMEOUT, ...toConfig(this.#options.database) });
    const session = new Session(client);
    const ended = new Promise<Error>((resolve) => {
      client.once('error', resolve);
      client.once('end', () => resolve(new Error('the connection ended')));
    });
    client.on('error', () => {});
    try {
      await client.connect();
      await this.#options.prepare(client);
      const { rows } = await client.query<{ channel: string }>('select djr.channel() as channel');
      this.#channel = rows[0]!.channel;
      client.on('notification', ({ channel, payload }) => {
        if (channel === this.#channel) this.#onNotification(session, payload ?? '');
      });
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (err) {
      void client.end().catch(() => {});
      throw err;
    }
    if (this.#stopped) {
      await client.end();
      throw new Error('stopped');
    }
    this.#session = session;
    // Until its first probe is over, this one may end as soon as it was made.
    this.#failures += 1;
    this.#options.onListening();
    void this.#keepProbing(session);
    return {
      ended: ended.then((reason) => {
        if (this.#session === session) this.#session = undefined;
        clearTimeout(this.#timer);
        this.#probe?.heard();
        // Not in order: a connection cut in silence would keep its socket for many minutes.
        void client.end().catch(() => {});
        client.connection.stream.destroy();
        return reason;
      }),
    };
  }

  #onNotification(session: Session, payload: string): void {
    if (payload.startsWith('{"doorbell"')) {
      this.#options.onDoorbell();
      // A connection that is lost meanwhile reads the name anew when it is made again.
      this.#followChannel(session).catch(() => {});
    } else if (payload.startsWith('{"probe"')) {
      if (this.#probe && payload === this.#probe.nonce) {
        this.#heard = true;
        this.#probe.heard();
      }
    } else this.#options.onMessage(payload);
  }

  /** `djr.configure` may have given the channel another name. What came in between is swept. */
  async #followChannel(session: Session): Promise<void> {
    const { rows } = await session.query<{ channel: string }>({ text: 'select djr.channel() as channel' });
    const { channel } = rows[0]!;
    const old = this.#channel;
    if (channel === old || this.#session !== session) return;
    this.#options.onLost();
    this.#channel = channel;
    await session.query({ text: `unlisten ${pg.escapeIdentifier(old)}; listen ${pg.escapeIdentifier(channel)}` });
    this.#options.onListening();
  }

  async #keepProbing(session: Session): Promise<void> {
    while (this.#session === session) {
      const alive = await this.#probeOnce(session);
      if (this.#session !== session) return;
      this.#failures = 0;
      if (!alive) {
        session.client.emit('error', new DjrError('DJR_LISTENER', 'The listening connection does not answer.'));
        return;
      }
      this.#outage.end('listening again');
      await new Promise<void>((resolve) => {
        this.#timer = setTimeout(resolve, this.#options.probeInterval);
        void this.#wakeOnStop(resolve);
      });
    }
  }

  /** @returns whether the connection answers; that a probe was heard or not is kept in {@link heard}. */
  async #probeOnce(session: Session): Promise<boolean> {
    const nonce = JSON.stringify({ probe: randomBytes(8).toString('hex') });
    let timer: NodeJS.Timeout | undefined;
    const wasHeard = this.#heard;
    this.#heard = wasHeard ?? undefined;
    const heard = new Promise<true>((resolve) => {
      this.#probe = { nonce, heard: () => resolve(true) };
    });
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#options.probeTimeout);
    });
    const answered = session.query({ text: 'select pg_notify($1, $2)', values: [this.#channel, nonce] }).then(
      () => true,
      () => false,
    );
    const came = await Promise.race([Promise.all([heard, answered]).then(() => true), late]);
    const alive = came || (await Promise.race([answered, Promise.resolve(false)]));
    clearTimeout(timer);
    this.#probe = undefined;
    if (!came && alive && this.#session === session) {
      this.#heard = false;
      if (wasHeard !== false) {
        this.#options.logger.error(
          {},
          'LISTEN is not heard: a connection pooler in transaction mode is in the way. Events are still found by ' +
            'sweeping, but later. Give djr a direct connection: database: { listen, pool }',
        );
      }
    }
    return alive;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, milliseconds);
      void this.#wakeOnStop(resolve);
    });
  }

  #wakeOnStop(resolve: () => void): void {
    this.#wake = resolve;
    if (this.#stopped) resolve();
  }

  /** Listens on this channel from now on: `djr.configure(channel => …)` gave it another name. */
  follow(channel: string): void {
    if (this.#session === undefined || channel === this.#channel) return;
    this.#session.client.emit('error', new DjrError('DJR_LISTENER', 'The channel has another name.'));
  }

  /** Ends the connection; nothing is called after it has resolved. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#wake?.();
    const session = this.#session;
    this.#session = undefined;
    await session?.client.end().catch(() => {});
    await this.#running;
  }
}
