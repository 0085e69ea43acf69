import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { inTime } from '../lib/deadline.js';
import { codeOf } from '../lib/error-code.js';
import { QUERY_CANCELED } from './sqlstate.js';

/** What a cancel request is made of; a client of any copy of `pg` has it. Through a pooler it names the pooler's own session. */
interface Cancellable {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean | object;
  readonly sslNegotiation?: string;
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/** What pg's Connection can do beyond its types. */
interface Wire extends EventEmitter {
  readonly stream: Duplex;
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

/** Milliseconds that PostgreSQL has to take the request, and to end the statement then. */
const GRACE = 5000;

/**
 * Asks PostgreSQL to cancel what this connection is running, as libpq does: with a connection of the request's own, which
 * PostgreSQL closes once the statement has been told.
 *
 * @throws when the request could not be delivered
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
 * Ends a statement that nobody waits for any more: a server that works on would leave the connection's place free while it
 * is not.
 *
 * @param working - the statement; it ends when PostgreSQL says so
 * @returns whether the connection can run another statement: PostgreSQL has said that it cancelled this one
 */
export async function giveUp(client: object, working: Promise<unknown>): Promise<boolean> {
  const ended = working.then(
    () => false,
    (error: unknown) => codeOf(error) === QUERY_CANCELED,
  );
  // The request has been dealt with before the connection is used again: it must not meet the next statement.
  const cancelled = requestCancel(client).then(
    () => ended,
    () => false,
  );
  return (await inTime(cancelled, GRACE)) ?? false;
}

/** Not in order: a connection that was cut in silence would keep its socket for many minutes. */
export function close(client: pg.Client): void {
  void client.end().catch(() => {});
  client.connection.stream.destroy();
}

/** Closes a connection for good, and ends whatever PostgreSQL still does for it. */
export function drop(client: pg.Client): void {
  requestCancel(client)
    .catch(() => {})
    .finally(() => close(client));
}
