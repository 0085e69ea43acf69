import type pg from 'pg';
import type { Finding } from '../../instance/finding.js';
import { backoff } from '../../lib/backoff.js';
import { inTime } from '../../lib/deadline.js';
import { codeOf } from '../../lib/error-code.js';
import { DjrError } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import { type Meter, toGauge } from '../../lib/meter.js';
import type { OnceLogger } from '../../lib/once-logger.js';
import { sleep } from '../../lib/sleep.js';
import { close } from '../../postgres/cancel.js';
import { databaseLog } from '../../postgres/database-log.js';
import { POOLED, PooledError } from '../../postgres/ownership.js';
import { PROGRAM_LIMIT_EXCEEDED } from '../../postgres/sqlstate.js';
import { isHopeless } from '../../postgres/unreachable.js';
import { connectTo, ListeningConnection } from './listening-connection.js';
import { Probe } from './probe.js';
import type { Session } from './session.js';

export interface ListenerOptions {
  database: string | pg.ClientConfig;
  logger: Logger;
  /** A message of the channel came that is neither a doorbell nor a probe. */
  onMessage(payload: string): void;
  /** LISTEN is in force on a new connection. Events that were published before must be found by a sweep. */
  onListening(): void;
  /** The connection is lost: until {@link onListening} no message comes. */
  onLost(): void;
  /** A doorbell came: it asks for a sweep at once. */
  onDoorbell(): void;
  /** Called on each new connection before LISTEN. If it throws, the connection is not used. */
  prepare(client: pg.Client): Promise<void>;
  /** Sends a NOTIFY on a connection of the pool, which may take another route to the database. */
  notify(channel: string, payload: string): Promise<void>;
  /** Milliseconds between two probes. */
  probeInterval: number;
  /** Milliseconds within which a probe must be heard. */
  probeTimeout: number;
}

const NOT_HEARD =
  'LISTEN is not heard: a pooler in transaction mode is in the way; events are found by sweeping, and those without a row ' +
  '(store => false) are lost';

/**
 * Keeps one connection listening for ever: it reconnects with backoff and jitter, and probes whether LISTEN is heard. On a backend that
 * a pooler shares with other sessions it never listens; then it checks again every `probeInterval`.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #onceLog: OnceLogger;
  readonly #probe: Probe;
  readonly #stopping = new AbortController();
  #connection: ListeningConnection | undefined;
  /** Connections in a row that could not be made, or ended before their first probe was over. */
  #failures = 0;
  #reconnects = 0;
  #failure: unknown;
  #heard: boolean | undefined;
  #pooled = false;
  /** Whether it has been logged that a pooler is in the way. */
  #said = false;
  #running: Promise<void> | undefined;
  #started: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#onceLog = databaseLog(options.logger);
    this.#probe = new Probe({
      timeout: options.probeTimeout,
      notify: (channel, payload) => this.#notify(channel, payload),
    });
  }

  /** Whether there is a connection on which LISTEN was sent. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Whether this connection heard the last probe; undefined before the first. False: there is a pooler in the way. */
  get heard(): boolean | undefined {
    return this.#pooled ? false : this.#heard;
  }

  /** The listening connection, once a probe from another session was heard. That proves that it is one session of PostgreSQL and used by this instance alone. */
  get session(): Session | undefined {
    return this.#heard ? this.#connection?.session : undefined;
  }

  /** Why the last connection could not be made; undefined while there is one. */
  get failure(): unknown {
    return this.#failure;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /**
   * Connects and listens. Resolves when LISTEN is in force; goes on in the background until {@link stop}.
   *
   * @throws an error that no retry can mend: a wrong password, or a database or schema that does not exist
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
    for (let first = true; !this.#stopped; ) {
      try {
        const connection = await this.#connect();
        this.#failure = undefined;
        if (!first) this.#reconnects += 1;
        first = false;
        started();
        const err = await this.#watch(connection);
        if (this.#stopped) break;
        this.#options.onLost();
        const context = { err, failures: this.#failures };
        this.#onceLog.say('warn', context, 'the listening connection was lost; connecting again');
      } catch (err) {
        if (this.#stopped) break;
        this.#pooled = err instanceof PooledError;
        if (this.#pooled) {
          first = false;
          this.#failures = 0;
          this.#sayPooled();
          started();
          // Without LISTEN sweeps have to deliver, and they begin now.
          this.#options.onDoorbell();
          await sleep(this.#options.probeInterval, this.#stopping.signal);
          continue;
        }
        if (first && isHopeless(err)) {
          hopeless(err);
          return;
        }
        this.#failures += 1;
        this.#failure = err;
        const context = { err, failures: this.#failures };
        this.#onceLog.say('error', context, 'cannot listen to the database; will try again');
      }
      await sleep(backoff(this.#failures), this.#stopping.signal);
    }
    hopeless(new DjrError('DJR_STOPPED', 'This realtime has been stopped.'));
  }

  async #connect(): Promise<ListeningConnection> {
    this.#heard = undefined;
    const { database, onListening, prepare } = this.#options;
    const connection = await ListeningConnection.open({
      database,
      prepare,
      onNotification: (from, payload) => this.#onNotification(from, payload),
    });
    if (this.#stopped) {
      await connection.end();
      throw new Error('stopped');
    }
    this.#connection = connection;
    this.#pooled = false;
    // Counted as a failure until its first probe is over, so that a connection which ends at once leads to a longer wait.
    this.#failures += 1;
    onListening();
    return connection;
  }

  /** Probes the connection until it ends. @returns why it ended */
  async #watch(connection: ListeningConnection): Promise<Error> {
    const over = new AbortController();
    void this.#keepProbing(connection, over.signal);
    const reason = await connection.ended;
    if (this.#connection === connection) this.#connection = undefined;
    this.#heard = undefined;
    over.abort();
    this.#probe.end();
    connection.close();
    return reason;
  }

  /** Sends a probe from another session: on the pool, or, if the pool does not answer, on a connection of its own. */
  async #notify(channel: string, payload: string): Promise<void> {
    const { database, notify, probeTimeout } = this.#options;
    try {
      const sent = notify(channel, payload).then(() => true);
      if (await inTime(sent, probeTimeout / 2)) return;
      sent.catch(() => {});
    } catch (err) {
      // The NOTIFY queue is full, so another connection would not help.
      if (codeOf(err) === PROGRAM_LIMIT_EXCEEDED) throw err;
    }
    const client = await connectTo(database);
    await client.query('select pg_catalog.pg_notify($1, $2)', [channel, payload]).finally(() => close(client));
  }

  #onNotification(connection: ListeningConnection, payload: string): void {
    if (payload.startsWith('{"doorbell"')) {
      this.#options.onDoorbell();
      // If the connection is lost meanwhile, the next one reads the channel's name anyway.
      this.#followChannel(connection).catch(() => {});
    } else if (payload.startsWith('{"probe"')) {
      this.#probe.onMessage(payload);
    } else this.#options.onMessage(payload);
  }

  /** Checks whether `djr.configure` has given the channel another name, and listens there then. Events in between are found by a sweep. */
  async #followChannel(connection: ListeningConnection): Promise<void> {
    const channel = await connection.readChannel();
    if (channel === connection.channel || this.#connection !== connection) return;
    this.#options.onLost();
    await connection.moveTo(channel);
    this.#options.onListening();
  }

  async #keepProbing(connection: ListeningConnection, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const found = await this.#probe.run(connection.session, connection.channel);
      if (over.aborted) return;
      this.#failures = 0;
      if (found === 'dead') {
        connection.fail(new DjrError('DJR_LISTENER', 'The listening connection does not answer.'));
        return;
      }
      if (found === 'heard') await this.#onHeard(connection);
      if (found === 'deaf') {
        this.#heard = false;
        this.#sayPooled();
      }
      if (over.aborted) return;
      this.#onceLog.end('listening again');
      await sleep(this.#options.probeInterval, over);
    }
  }

  async #onHeard(connection: ListeningConnection): Promise<void> {
    this.#said = false;
    if (this.#heard) return;
    await connection.stayIdle();
    if (this.#connection === connection) this.#heard = true;
  }

  #sayPooled(): void {
    if (!this.#said) this.#options.logger.error({}, POOLED);
    this.#said = true;
  }

  /** A sweep has read this name of the channel. If `djr.configure` has changed it, the listener reconnects and listens there. */
  follow(channel: string): void {
    const connection = this.#connection;
    if (connection === undefined || channel === connection.channel) return;
    connection.fail(new DjrError('DJR_LISTENER', 'The channel has another name.'));
  }

  findings(): Finding[] {
    const check = 'listener';
    if (!this.#pooled && !this.connected) {
      return [{ check, state: 'failing', reason: 'the listening connection is lost' }];
    }
    return [this.heard === false ? { check, state: 'warning', reason: NOT_HEARD } : { check, state: 'ok' }];
  }

  metrics(meter: Meter): void {
    meter.gauge('djr_listening', '1 while the listening connection is there', () => toGauge(this.connected));
    meter.gauge('djr_listen_heard', '1 when the last probe was heard, 0 when a pooler is in the way', () =>
      toGauge(this.heard),
    );
    meter.counter('djr_reconnects_total', 'Listening connections after the first', () => this.#reconnects);
  }

  /** Ends the connection. After it has resolved, no callback is called any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
    await this.#running;
  }
}
