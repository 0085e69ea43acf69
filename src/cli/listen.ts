import { chmod, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** Milliseconds in which a client may read the rest of its answer. */
const GRACE = 2_000;

/**
 * Connections that may wait to be accepted, where the kernel allows so many. Clients change their room, or come back, by the thousand
 * at once; one that finds no place among Node's own 511 tries again a second later, and twice as long after that.
 */
const BACKLOG = 4096;

/** Where a server listens: on a port of an address, or on a Unix socket. */
export type Place = { host: string; port: number } | { socket: string };

/** The server cannot listen there: what must be, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly hint: string;

  constructor(message: string, hint: string, options: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** Lets a server listen. @returns its address as a URL without a path @throws ListenError */
export async function listen(server: Server, place: Place): Promise<string> {
  try {
    if ('socket' in place) await removeStale(place.socket);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const listening = () => {
        server.off('error', reject);
        resolve();
      };
      if ('socket' in place) server.listen({ path: place.socket, backlog: BACKLOG }, listening);
      else server.listen({ ...place, backlog: BACKLOG }, listening);
    });
    // Proxies run as other users. The rights of the folder decide who can reach the socket.
    if ('socket' in place) await chmod(place.socket, 0o666);
  } catch (cause) {
    throw toListenError(cause, place);
  }
  if ('socket' in place) return `http://unix:${place.socket}:`;
  const { address, family, port: actual } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
}

/** Removes a socket on which no process answers: a process that was killed leaves its socket behind. */
async function removeStale(socket: string): Promise<void> {
  const stale = await new Promise<boolean>((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (stale) await unlink(socket);
}

/** Explains an error of listening to the person who gave the place; other errors are returned as they are. */
export function toListenError(cause: unknown, place: Place): unknown {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const failure = 'socket' in place ? ofSocket(code, place.socket) : ofPort(code, place);
  return failure ? new ListenError(...failure, { cause }) : cause;
}

function ofSocket(code: string, socket: string): [message: string, hint: string] | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return [`Another process listens on ${socket}.`, 'Give another path with --listen, or end that process.'];
    // Node reports EACCES also if the folder is missing.
    case 'EACCES':
    case 'ENOENT':
    case 'EROFS':
      return [
        `The socket ${socket} cannot be made: its folder is not there, or not this user's to write in.`,
        'Make the folder first (RuntimeDirectory= in systemd), or correct --listen.',
      ];
    case 'ENOTSOCK':
      return [`${socket} is no socket.`, 'Give another path with --listen, or remove that file.'];
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return [`The path ${socket} is too long for a socket.`, 'Give a path of fewer than 100 bytes with --listen.'];
    default:
      return undefined;
  }
}

function ofPort(code: string, { host, port }: { host: string; port: number }): [string, string] | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return [`Port ${port} on ${host} is in use.`, 'Give another with --port; --port 0 takes any that is free.'];
    case 'EADDRNOTAVAIL':
      return [
        `${host} is no address of this machine.`,
        'Give one with --host: 127.0.0.1 for this machine only, 0.0.0.0 for all its addresses.',
      ];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return [
        `--host ${host} is no address, and no name that this machine knows.`,
        'Give an address with --host: 127.0.0.1 for this machine only, 0.0.0.0 for all its addresses.',
      ];
    case 'EACCES':
      return [`This user may not listen on port ${port}.`, 'Give a port above 1023 with --port.'];
    default:
      return undefined;
  }
}

/**
 * Closes a server. It first accepts no more connections, then `stopStreams` ends the streams, and only then can the server end, as it
 * waits for all responses.
 */
export async function close(server: Server, stopStreams: () => Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await stopStreams();
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), GRACE);
  await closed;
  clearTimeout(impatience);
}
