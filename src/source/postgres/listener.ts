import pg from 'pg';
import { DjrError } from '../../lib/errors.js';
import { inTime } from '../../lib/in-time.js';
import type { Logger } from '../../lib/logger.js';
import { OnceLogger } from '../../lib/once-logger.js';
import { close, drop } from '../../postgres/cancel.js';
import { backoff, isHopeless, newClient } from '../../postgres/connect.js';
import { ownershipOf, POOLED, PooledError } from '../../postgres/ownership.js';
import { select } from '../../postgres/select.js';
import { TYPES } from '../../postgres/types.js';
import { Probe } from './probe.js';
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
  /** Sends a NOTIFY on a connection of the pool, which may lead another way. */
  notify(channel: string, payload: string): Promise<void>;
  /** Milliseconds between two probes. */
  probeInterval: number;
  /** Milliseconds within which a probe must be heard. */
  probeTimeout: number;
}

/** Milliseconds for one query of ours: a connection cut in silence gives no answer for many minutes. */
const QUERY_TIMEOUT = 30_000;

/** A listener is idle for long, and this can only be said for all of its session. */
const NEVER_IDLE = 'set idle_session_timeout = 0';

/**
 * One connection that listens, for ever: it reconnects with backoff and jitter, and probes whether LISTEN is heard. It
 * never listens on a backend that a pooler shares with other sessions; it looks again every `probeInterval` then.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #onceLog: OnceLogger;
  #session: Session | undefined;
  #channel = '';
  #stopped = false;
  /** Connections in a row that could not be made, or did not live until their first probe was over. */
  #failures = 0;
  #reconnects = 0;
  #failure: unknown;
  #heard: boolean | undefined;
  #pooled = false;
  /** A pooler, or deafness, has been logged. */
  #said = false;
  readonly #probe: Probe;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #started: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#probe = new Probe({
      timeout: options.probeTimeout,
      notify: (channel, payload) => this.#notify(channel, payload),
    });
  }

  /** Connected, and LISTEN sent. */
  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Whether this connection heard the last probe; undefined before the first. False: there is a pooler in the way. */
  get heard(): boolean | undefined {
    return this.#pooled ? false : this.#heard;
  }

  /** No connection listens, because its backend is shared with other sessions. Sweeps deliver. */
  get pooled(): boolean {
    return this.#pooled;
  }

  /** The connection, once a probe from another session was heard: it is one session of PostgreSQL, and ours alone. */
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
        this.#onceLog.say(
          'warn',
          { err, failures: this.#failures },
          'the listening connection was lost; connecting again',
        );
      } catch (err) {
        if (this.#stopped) break;
        this.#pooled = err instanceof PooledError;
        if (this.#pooled) {
          first = false;
          this.#failures = 0;
          this.#sayPooled();
          started();
          // From now on sweeps follow one another closely.
          this.#options.onDoorbell();
          await this.#pause(this.#options.probeInterval);
          continue;
        }
        if (first && isHopeless(err)) {
          hopeless(err);
          return;
        }
        this.#failures += 1;
        this.#failure = err;
        this.#onceLog.say('error', { err, failures: this.#failures }, 'cannot listen to the database; will try again');
      }
      await this.#pause(backoff(this.#failures));
    }
    hopeless(new DjrError('DJR_STOPPED', 'This realtime has been stopped.'));
  }

  /** @returns a promise for why the connection ended, in an object: an async function would wait for it. */
  async #connect(): Promise<{ ended: Promise<Error> }> {
    this.#heard = undefined;
    const client = await this.#open();
    const session = new Session(client);
    const ended = new Promise<Error>((resolve) => {
      client.once('error', resolve);
      client.once('end', () => resolve(new Error('the connection ended')));
    });
    try {
      await this.#options.prepare(client);
      const ownership = await ownershipOf(client, () => this.#open());
      if (ownership === 'shared') throw new PooledError();
      // At once, where it is ours alone: until the first probe is heard a short time-out may be over.
      if (ownership === 'own') await client.query(NEVER_IDLE).catch(() => {});
      const rows = await select<{ channel: string }>(client, 'select djr.channel() as channel');
      this.#channel = rows[0]!.channel;
      client.on('notification', ({ channel, payload }) => {
        if (channel === this.#channel) this.#onNotification(session, payload ?? '');
      });
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (err) {
      // What has no code is a time-out: the server may be at it still.
      if (err instanceof PooledError || (err instanceof Error && 'code' in err)) close(client);
      else drop(client);
      throw err;
    }
    if (this.#stopped) {
      await client.end();
      throw new Error('stopped');
    }
    this.#session = session;
    this.#pooled = false;
    // Until its first probe is over, this one may end as soon as it was made.
    this.#failures += 1;
    this.#options.onListening();
    void this.#keepProbing(session);
    return {
      ended: ended.then((reason) => {
        if (this.#session === session) this.#session = undefined;
        this.#heard = undefined;
        clearTimeout(this.#timer);
        this.#probe.end();
        if (session.busy) drop(client);
        else close(client);
        return reason;
      }),
    };
  }

  async #open(): Promise<pg.Client> {
    const client = newClient(this.#options.database, { query_timeout: QUERY_TIMEOUT });
    client.on('error', () => {});
    try {
      await client.connect();
    } catch (err) {
      void client.end().catch(() => {});
      throw err;
    }
    return client;
  }

  /** From another session. Where the pool is away a connection is made for it. */
  async #notify(channel: string, payload: string): Promise<void> {
    try {
      const sent = this.#options.notify(channel, payload).then(() => true);
      if (await inTime(sent, this.#options.probeTimeout / 2)) return;
      sent.catch(() => {});
    } catch (err) {
      // PostgreSQL's queue is full, and would be on any other connection.
      if (err instanceof Error && 'code' in err && err.code === '54000') throw err;
    }
    const client = await this.#open();
    await client.query('select pg_catalog.pg_notify($1, $2)', [channel, payload]).finally(() => close(client));
  }

  #onNotification(session: Session, payload: string): void {
    if (payload.startsWith('{"doorbell"')) {
      this.#options.onDoorbell();
      // A connection that is lost meanwhile reads the name anew when it is made again.
      this.#followChannel(session).catch(() => {});
    } else if (payload.startsWith('{"probe"')) {
      this.#probe.onMessage(payload);
    } else this.#options.onMessage(payload);
  }

  /** `djr.configure` may have given the channel another name. What came in between is swept. */
  async #followChannel(session: Session): Promise<void> {
    const { rows } = await session.query<{ channel: string }>({
      text: 'select djr.channel() as channel',
      types: TYPES,
    });
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
      const found = await this.#probe.run(session, this.#channel);
      if (this.#session !== session) return;
      this.#failures = 0;
      if (found === 'dead') {
        session.client.emit('error', new DjrError('DJR_LISTENER', 'The listening connection does not answer.'));
        return;
      }
      if (found === 'heard') await this.#onHeard(session);
      if (found === 'deaf') {
        this.#heard = false;
        this.#sayPooled();
      }
      if (this.#session !== session) return;
      this.#onceLog.end('listening again');
      await new Promise<void>((resolve) => {
        this.#timer = setTimeout(resolve, this.#options.probeInterval);
        void this.#wakeOnStop(resolve);
      });
    }
  }

  async #onHeard(session: Session): Promise<void> {
    this.#said = false;
    if (this.#heard) return;
    // What is heard is a session of ours, whatever stands in between.
    await session.query(NEVER_IDLE).catch(() => {});
    if (this.#session === session) this.#heard = true;
  }

  #sayPooled(): void {
    if (!this.#said) this.#options.logger.error({}, POOLED);
    this.#said = true;
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
