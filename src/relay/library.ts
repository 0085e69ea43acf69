import { readFile } from 'node:fs/promises';
import { DjrError } from '../lib/errors.js';
import type { RelayCredentials } from './credentials.js';

/** Where the engine is, and how to log in there. */
export interface Address {
  /** `nats://host:4222`, at least one. */
  servers: readonly string[];
  credentials?: RelayCredentials | undefined;
}

/** The packages of NATS, which the app installs: only with a relay are they needed. @throws when they are not there */
export async function loadLibrary() {
  try {
    // Each is awaited by itself within the try: from that bundlers tell that the package may be missing.
    const transport = await import('@nats-io/transport-node');
    const jetstream = await import('@nats-io/jetstream');
    return { ...transport, jetstreamManager: jetstream.jetstreamManager };
  } catch (cause) {
    throw new DjrError('DJR_CONFIG', 'Option relay: the packages of NATS must be installed.', {
      hint: 'npm install @nats-io/transport-node @nats-io/jetstream',
      cause,
    });
  }
}

export type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** Server, user and password of a URL: the library reads no login from it. */
export function splitServer(server: string): { address: string; user?: string; password?: string } {
  const url = new URL(/^[a-z]+:\/\//.test(server) ? server : `nats://${server}`);
  const address = `${url.protocol}//${url.host}`;
  if (url.username === '') return { address };
  return { address, user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

/** What the library is told of a login. */
export async function authentication(library: Library, { credentials, servers }: Address): Promise<object> {
  if (typeof credentials === 'string') {
    return { authenticator: library.credsAuthenticator(await readFile(credentials)) };
  }
  if (credentials && 'token' in credentials) return { token: credentials.token };
  if (credentials) return { user: credentials.user, pass: credentials.password };
  const { user, password } = splitServer(servers[0]!);
  return user === undefined ? {} : { user, pass: password };
}

/** Whether the engine has refused a login. No retry mends it. */
export const isRefusedLogin = (error: unknown): boolean =>
  error instanceof Error && /^(AuthorizationError|UserAuthenticationExpiredError)$/.test(error.name);

/** Why there is no connection, as `healthz` says it. */
export const UNREACHABLE = 'the relay cannot be reached';
export const REFUSED = 'the relay refuses the login';

export const refusedLogin = (cause: unknown): DjrError =>
  new DjrError('DJR_CONFIG', 'Option relay: the engine refuses the login (authorization violation).', {
    hint: 'Correct relay.credentials, or the users in the configuration of nats-server: djr relay --print-permissions.',
    cause,
  });
