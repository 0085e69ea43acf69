import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How long a client may take to read the rest of what it was sent, in milliseconds. */
const GRACE = 2_000;

/** Starts `server` and returns its address as a URL without a path. */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<string> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { address, family, port: actual } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
}

/**
 * First no more connections, then the streams end, with `stopStreams`, and only then can the server: it waits for all
 * responses.
 */
export async function close(server: Server, stopStreams: () => Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await stopStreams();
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), GRACE);
  await closed;
  clearTimeout(impatience);
}
