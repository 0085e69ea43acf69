import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { inTime } from '../lib/deadline.js';
import { codeOf } from '../lib/error-code.js';
import { QUERY_CANCELED } from './sqlstate.js';

/** The fields of a client that a cancel request needs; a client of any copy of `pg` has them. Through a pooler they name the pooler's session. */
interface Cancellable {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean | object;
  readonly sslNegotiation?: string;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/** Methods of pg's Connection that its types lack. */
interface Wire extends EventEmitter {
  readonly stream: Duplex;
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

/** Milliseconds that PostgreSQL has to take the request, and then to end the statement. */
const GRACE = 5000;

/**
 * Asks PostgreSQL to cancel the statement that this connection is running. As in libpq, the request has a connection of its own, which
 * PostgreSQL closes once it has passed the request on.
 *
 * @throws if the request could not be delivered
 */
export function requestCancel(client: object): Promise<void> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as Cancellable;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') {
    return Promise.reject(new Error('this connection has no key to cancel a statement with'));
  }
  const wire = new pg.Connection({ ssl, sslNegotiation } as pg.ConnectionConfig) as unknown as Wire;
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => wire.emit('error', new Error('the cancel request was not taken')), GRACE);
    wire.on('error', (error) => {
      clearTimeout(timer);
      wire.stream.destroy();
      reject(error);
    });
    wire.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    const cancel = () => wire.cancel(processID, secretKey);
    wire.once('connect', () => {
      if (!ssl) cancel();
      else if (sslNegotiation !== 'direct') wire.requestSsl();
    });
    wire.once('sslconnect', cancel);
    if (host?.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`);
    else wire.connect(port, host);
  });
}

/**
 * Cancels a statement that nobody waits for any more. Otherwise the pool would take the connection for free while the server works on.
 *
 * @param working - the statement, which settles when PostgreSQL has answered
 * @returns whether the connection can run another statement, because PostgreSQL has confirmed that it cancelled this one
 */
export async function giveUp(client: object, working: Promise<unknown>): Promise<boolean> {
  const ended = working.then(
    () => false,
    (error: unknown) => codeOf(error) === QUERY_CANCELED,
  );
  // The connection is used again only after the request was handled, so that it cannot cancel the next statement.
  const cancelled = requestCancel(client).then(
    () => ended,
    () => false,
  );
  return (await inTime(cancelled, GRACE)) ?? false;
}

/** Closes a connection without waiting for PostgreSQL: one that was cut without notice would keep its socket for many minutes. */
export function close(client: pg.Client): void {
  void client.end().catch(() => {});
  client.connection.stream.destroy();
}

/** Closes a connection, and cancels the statement that PostgreSQL may still be running for it. */
export function drop(client: pg.Client): void {
  requestCancel(client)
    .catch(() => {})
    .finally(() => close(client));
}
