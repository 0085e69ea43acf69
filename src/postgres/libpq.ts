import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type pg from 'pg';
import { DjrError } from '../lib/errors.js';

/** Parameters of libpq in an address or in the environment. */
interface Said {
  sslmode?: string;
  sslrootcert?: string;
  sslcert?: string;
  sslkey?: string;
}

/** Variables of libpq that `pg` does not read. They are refused, as they would otherwise be ignored without notice. */
const NOT_SUPPORTED: Record<string, string> = {
  PGSERVICE: 'Name the database in DATABASE_URL, or with PGHOST, PGPORT, PGDATABASE and PGUSER.',
  PGHOSTADDR: 'Give the address in PGHOST.',
};

const MODES = ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full'];

const SESSION_ATTRS = ['any', 'read-write', 'primary', 'prefer-standby'];

/**
 * Translates a configuration so that an address and libpq's variables mean to `pg` what they mean to libpq: `sslmode`, `sslrootcert`,
 * `sslcert` and `sslkey`, and PGSSLMODE, PGSSLROOTCERT, PGSSLCERT and PGSSLKEY. An `ssl` in the configuration is left as it is.
 *
 * @throws {@link DjrError} `DJR_CONFIG` if djr cannot do something as libpq would
 */
export function asLibpq(config: pg.ClientConfig, environment = process.env): pg.ClientConfig {
  const address = config.connectionString;
  const parameters = new URLSearchParams(address?.includes('?') ? address.slice(address.indexOf('?') + 1) : '');
  check(address, parameters, environment);
  const said: Said = {};
  for (const name of ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const) {
    const value = parameters.get(name) || environment[`PG${name.toUpperCase()}`];
    if (value) said[name] = value;
  }
  if (config.ssl !== undefined || parameters.has('ssl') || Object.keys(said).length === 0) return config;
  const ssl = isSocket(config, parameters, environment) ? false : toTls(said);
  // The parameters are removed from the address, because `pg` would give its own reading of them precedence.
  return address === undefined
    ? { ...config, ssl }
    : { ...config, connectionString: without(address, parameters, Object.keys(said)), ssl };
}

function check(address: string | undefined, parameters: URLSearchParams, environment: NodeJS.ProcessEnv): void {
  const attrs = parameters.get('target_session_attrs') || environment.PGTARGETSESSIONATTRS;
  if (attrs && !SESSION_ATTRS.includes(attrs)) {
    throw new DjrError(
      'DJR_CONFIG',
      `target_session_attrs must be read-write, primary or any, as NOTIFY works on the primary only (it is ${attrs}).`,
      { hint: 'Name the primary, or all servers and target_session_attrs=primary.' },
    );
  }
  if (address !== undefined) return;
  for (const [name, hint] of Object.entries(NOT_SUPPORTED)) {
    if (!environment[name]) continue;
    throw new DjrError('DJR_CONFIG', `${name} is a variable of libpq that djr does not support.`, { hint });
  }
}

/** TLS concerns TCP only: like libpq, djr ignores its settings on a Unix socket. */
function isSocket(config: pg.ClientConfig, parameters: URLSearchParams, environment: NodeJS.ProcessEnv): boolean {
  const address = config.connectionString;
  const named = address === undefined ? (config.host ?? environment.PGHOST) : parameters.get('host');
  const host = named || (address !== undefined && URL.canParse(address) ? new URL(address).hostname : '');
  return host.startsWith('/') || /^%2f/i.test(host);
}

function toTls(said: Said): boolean | ConnectionOptions {
  const mode = said.sslmode ?? 'require';
  if (!MODES.includes(mode)) {
    throw new DjrError('DJR_CONFIG', `sslmode must be ${MODES.join(', ')} (it is ${mode}).`, {
      hint: 'The mode verify-full encrypts and proves who the server is; disable uses no TLS.',
    });
  }
  if (mode === 'disable') return false;
  const system = said.sslrootcert === 'system';
  const ca = said.sslrootcert && !system ? read('sslrootcert', said.sslrootcert) : undefined;
  const own = {
    ...(ca && { ca }),
    ...(said.sslcert && { cert: read('sslcert', said.sslcert) }),
    ...(said.sslkey && { key: read('sslkey', said.sslkey) }),
  };
  // As in libpq, `require` encrypts, and verifies the certificate only if an authority is given.
  if (mode === 'no-verify' || (mode === 'require' && !said.sslrootcert)) return { ...own, rejectUnauthorized: false };
  if (mode === 'verify-full' || system) return own;
  return { ...own, checkServerIdentity: () => undefined };
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : cause;
    throw new DjrError('DJR_CONFIG', `The file of ${name} must be readable, and ${file} is not (${code}).`, {
      hint: `Correct ${name} in the address, or PG${name.toUpperCase()}, or the rights of the file.`,
      cause,
    });
  }
}

function without(address: string, parameters: URLSearchParams, names: string[]): string {
  const rest = new URLSearchParams(parameters);
  for (const name of [...names, 'uselibpqcompat', 'target_session_attrs']) rest.delete(name);
  const query = rest.toString();
  return `${address.slice(0, address.indexOf('?') < 0 ? undefined : address.indexOf('?'))}${query ? `?${query}` : ''}`;
}
